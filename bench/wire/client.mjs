// The client of one measurement, carried by `ours` or `grpc-js`: prints one line of JSON.
//
//   node client.mjs KIND PORT unary SECONDS INFLIGHT     calls of Put on one connection
//   node client.mjs KIND PORT stream COUNT SIZE          one stream of that many messages
import { etcdserverpb as pb } from '@distrokv/proto';

const [kind, port, what, first, second] = process.argv.slice(2);
const request = pb.PutRequest.create({ key: Buffer.from('kkkkkkkkkkkkk001'), value: Buffer.alloc(256, 'v') });
const streamMethod = { path: '/bench.Bench/Stream', kind: 'server-stream', request: pb.RangeRequest, response: pb.PutRequest };
const streamRequest = (count, size) => pb.RangeRequest.create({ limit: count, revision: size });

async function ours() {
  const { createChannel } = await import('@distrokv/grpc');
  const channel = createChannel(`127.0.0.1:${port}`);
  return {
    unary: () => channel.unary(pb.KV.methods.put, request),
    async stream(count, size) {
      const call = channel.stream(streamMethod);
      call.send(streamRequest(count, size));
      call.finish();
      let received = 0;
      for await (const _ of call.responses) received++;
      return received;
    },
    close: () => channel.close(),
  };
}

async function grpcJs() {
  const grpc = await import('@grpc/grpc-js');
  const asIs = (bytes) => bytes;
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  const bytes = Buffer.from(pb.PutRequest.encode(request));
  return {
    unary: () =>
      new Promise((resolve, reject) =>
        client.makeUnaryRequest('/etcdserverpb.KV/Put', asIs, asIs, bytes, (error, answer) => (error ? reject(error) : resolve(answer))),
      ),
    async stream(count, size) {
      const call = client.makeServerStreamRequest(
        streamMethod.path,
        asIs,
        asIs,
        Buffer.from(pb.RangeRequest.encode(streamRequest(count, size))),
      );
      let received = 0;
      for await (const _ of call) received++;
      return received;
    },
    close: () => client.close(),
  };
}

const client = kind === 'ours' ? await ours() : await grpcJs();
if (what === 'unary') {
  const [seconds, inflight] = [Number(first), Number(second)];
  let [done, running] = [0, true];
  const loop = async () => {
    while (running) {
      await client.unary();
      done++;
    }
  };
  const loops = Array.from({ length: inflight }, loop);
  await new Promise((resolve) => setTimeout(resolve, 500));
  done = 0;
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const perSecond = done / ((performance.now() - start) / 1000);
  running = false;
  await Promise.all(loops);
  console.log(JSON.stringify({ perSecond: Math.round(perSecond) }));
} else {
  const [count, size] = [Number(first), Number(second)];
  await client.stream(Math.min(1000, count), size);
  const rss = process.memoryUsage.rss();
  let peak = rss;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const start = performance.now();
  const received = await client.stream(count, size);
  const perSecond = received / ((performance.now() - start) / 1000);
  clearInterval(watch);
  if (received !== count) throw new Error(`${received} of ${count} messages came`);
  console.log(JSON.stringify({ perSecond: Math.round(perSecond), grownMiB: Math.round((peak - rss) / (1 << 20)) }));
}
client.close();
