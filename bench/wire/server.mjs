// The server of one measurement, carried by `ours` or `grpc-js`: prints its port, and serves until it is killed.
//
//   Put        answers every request with an empty answer
//   Stream     the request says how many messages (limit) of which size (revision) are to come
//
// grpc-js hands bytes through as they are, which spares it the work that ours does: it decodes and encodes.
import { etcdserverpb as pb } from '@distrokv/proto';

const kind = process.argv[2];

/** A message of so many bytes. */
const messageOf = (size) => pb.PutRequest.create({ value: new Uint8Array(Math.max(1, size - (size > 128 ? 5 : 2))).fill(7) });
const stream = { path: '/bench.Bench/Stream', kind: 'server-stream', request: pb.RangeRequest, response: pb.PutRequest };

async function ours() {
  const { createServer } = await import('@distrokv/grpc');
  const server = createServer();
  const answer = pb.PutResponse.create({});
  server.addService(pb.KV, { put: () => answer });
  server.addService(
    { typeName: 'bench.Bench', methods: { stream } },
    {
      async stream({ limit, revision }, call) {
        const message = messageOf(revision);
        for (let i = 0; i < limit; i++) if (!call.send(message)) await call.writable();
      },
    },
  );
  return (await server.listen({ host: '127.0.0.1', port: 0 })).port;
}

async function grpcJs() {
  const grpc = await import('@grpc/grpc-js');
  const asIs = (bytes) => bytes;
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  const answer = Buffer.from(pb.PutResponse.encode(pb.PutResponse.create({})));
  const asBytes = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };
  const methods = {
    put: { path: '/etcdserverpb.KV/Put', requestStream: false, responseStream: false, ...asBytes },
    stream: { path: stream.path, requestStream: false, responseStream: true, ...asBytes },
  };
  server.addService(methods, {
    put: (_call, respond) => respond(null, answer),
    async stream(call) {
      const { limit, revision } = pb.RangeRequest.decode(call.request);
      const message = Buffer.from(pb.PutRequest.encode(messageOf(revision)));
      for (let i = 0; i < limit; i++) if (!call.write(message)) await new Promise((resolve) => call.once('drain', resolve));
      call.end();
    },
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
  });
}

process.on('SIGINT', () => process.exit(0));
console.log(kind === 'ours' ? await ours() : await grpcJs());
