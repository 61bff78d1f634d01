// The server of one measurement, carried by `ours` or `grpc-js`: prints its port, and serves until it is killed.
//
//   Put        answers every request with an empty answer
//   Watch      the first request says how many messages (start_revision) of which size (watch_id) are to come
//
// grpc-js hands bytes through as they are, which spares it the work that ours does: it decodes and encodes.
import { etcdserverpb as pb } from '@distrokv/proto';

const kind = process.argv[2];

function responseOf(size) {
  // One event with a key of the rest of the size.
  return pb.WatchResponse.create({ watchId: 1, cancelReason: 'x'.repeat(Math.max(1, size - 5)) });
}

async function ours() {
  const { createServer } = await import('@distrokv/grpc');
  const server = createServer();
  const answer = pb.PutResponse.create({});
  server.addService(pb.KV, { put: () => answer });
  server.addService(pb.Watch, {
    async watch(call) {
      const { value } = await call.requests[Symbol.asyncIterator]().next();
      const { startRevision, watchId } = value.requestUnion.value;
      const message = responseOf(Number(watchId));
      for (let i = 0; i < startRevision; i++) if (!call.send(message)) await call.writable();
    },
  });
  return (await server.listen({ host: '127.0.0.1', port: 0 })).port;
}

async function grpcJs() {
  const grpc = await import('@grpc/grpc-js');
  const asIs = (bytes) => bytes;
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  const answer = Buffer.from(pb.PutResponse.encode(pb.PutResponse.create({})));
  const method = (path, stream) => ({
    path,
    requestStream: stream,
    responseStream: stream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  });
  server.addService(
    { put: method('/etcdserverpb.KV/Put', false), watch: method('/etcdserverpb.Watch/Watch', true) },
    {
      put: (_call, respond) => respond(null, answer),
      watch(call) {
        call.once('data', async (bytes) => {
          const { startRevision, watchId } = pb.WatchRequest.decode(bytes).requestUnion.value;
          const message = Buffer.from(pb.WatchResponse.encode(responseOf(Number(watchId))));
          for (let i = 0; i < startRevision; i++) if (!call.write(message)) await new Promise((resolve) => call.once('drain', resolve));
          call.end();
        });
      },
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
  });
}

console.log(kind === 'ours' ? await ours() : await grpcJs());
