// What others see: a plain grpc-js client that knows nothing of this package, against our server.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { etcdserverpb } from '@distrokv/proto';
import { GrpcError } from './index.ts';
import { createPair } from './testing/pair.ts';
import { answer, ask } from './testing/services.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

function rawClient(t: TestContext, port: number): grpc.Client {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  t.after(() => client.close());
  return client;
}

function call(client: grpc.Client, path: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, bytes, (error, response) => (error ? reject(error) : resolve(response as Buffer)));
  });
}

test('a plain client gets its answers and its errors', async (t) => {
  const { port } = await createPair(t, {
    unary: ({ limit }) => {
      if (limit === 0) throw new GrpcError('invalid-argument', 'etcdserver: key is not provided — ключ');
      return answer(limit);
    },
  });
  const client = rawClient(t, port);
  const response = await call(client, '/test.Echo/Unary', Buffer.from(etcdserverpb.RangeRequest.encode(ask(5))));
  assert.deepEqual(etcdserverpb.RangeResponse.decode(response), answer(5));
  await assert.rejects(call(client, '/test.Echo/Unary', Buffer.alloc(0)), {
    code: grpc.status.INVALID_ARGUMENT,
    details: 'etcdserver: key is not provided — ключ',
  });
  await assert.rejects(call(client, '/test.Echo/Nothing', Buffer.alloc(0)), { code: grpc.status.UNIMPLEMENTED });
  await assert.rejects(call(client, '/nothing.At.All/X', Buffer.alloc(0)), { code: grpc.status.UNIMPLEMENTED });
});

test('a request that is not protobuf gets the answer of Go’s gRPC, on streams too', async (t) => {
  const { port } = await createPair(t, {
    unary: () => answer(1),
    chat: async (stream) => {
      for await (const { limit } of stream.requests) stream.send(answer(limit));
    },
  });
  const client = rawClient(t, port);
  const refused = { code: grpc.status.INTERNAL, details: /^grpc: error unmarshalling request: etcdserverpb\.RangeRequest: at byte/ };
  await assert.rejects(call(client, '/test.Echo/Unary', Buffer.from([0x0a, 0xff])), refused);
  const stream = client.makeBidiStreamRequest('/test.Echo/Chat', asIs, asIs);
  const failure = new Promise((_resolve, reject) => stream.on('error', reject));
  stream.resume().write(Buffer.from([0x0a, 0xff]));
  await assert.rejects(failure, refused);
});
