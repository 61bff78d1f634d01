// Both ways with gRPC of other makers: our client at servers of grpc-js, nice-grpc and connect-node, the clients of the last two at ours.
import assert from 'node:assert/strict';
import { createServer as createHttp2Server } from 'node:http2';
import { type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { create, createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { anyPack, AnySchema, DurationSchema, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createClient as createConnectClient, ConnectError, Code, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter, createGrpcTransport } from '@connectrpc/connect-node';
import {
  type CompatServiceDefinition,
  createChannel as createNiceChannel,
  createClient as createNiceClient,
  createServer as createNiceServer,
} from 'nice-grpc';
import { fileDescriptors, etcdserverpb as pb, type Method } from '@distrokv/proto';
import { createChannel, createServer, GrpcError } from './index.ts';
import { channelToServer } from './testing/other-server.ts';
import { all, signalled } from './testing/pair.ts';
import { answer, ask, Echo } from './testing/services.ts';

const methods: readonly Method<pb.RangeRequest, pb.RangeResponse>[] = Object.values(Echo.methods);

/** The service as grpc-js and nice-grpc take it, with our codecs. */
const definition = Object.fromEntries(
  methods.map(({ path, kind, request, response }) => [
    path.slice(path.lastIndexOf('/') + 1).toLowerCase(),
    {
      path,
      requestStream: kind === 'client-stream' || kind === 'bidi-stream',
      responseStream: kind === 'server-stream' || kind === 'bidi-stream',
      requestSerialize: (message: pb.RangeRequest) => Buffer.from(request.encode(message)),
      requestDeserialize: (bytes: Buffer) => request.decode(bytes),
      responseSerialize: (message: pb.RangeResponse) => Buffer.from(response.encode(message)),
      responseDeserialize: (bytes: Buffer) => response.decode(bytes),
      options: {},
    },
  ]),
);

type Stream = grpc.ServerDuplexStream<pb.RangeRequest, pb.RangeResponse>;

async function grpcJsServer(t: TestContext): Promise<number> {
  const server = new grpc.Server();
  server.addService(definition, {
    unary(call: grpc.ServerUnaryCall<pb.RangeRequest, pb.RangeResponse>, respond: grpc.sendUnaryData<pb.RangeResponse>) {
      if (call.request.limit === 0) respond({ code: grpc.status.NOT_FOUND, details: 'ключ → 100 %' });
      else if (call.request.limit === 1)
        return; // never
      else respond(null, answer(call.request.limit), Object.assign(new grpc.Metadata(), {}));
    },
    collect(call: grpc.ServerReadableStream<pb.RangeRequest, pb.RangeResponse>, respond: grpc.sendUnaryData<pb.RangeResponse>) {
      let sum = 0;
      call.on('data', ({ limit }: pb.RangeRequest) => (sum += limit)).on('end', () => respond(null, answer(sum)));
    },
    spread(call: grpc.ServerWritableStream<pb.RangeRequest, pb.RangeResponse>) {
      for (let i = 0; i < call.request.limit; i++) call.write({ ...answer(i), kvs: [] });
      call.end();
    },
    chat(call: Stream) {
      call.on('data', ({ limit }: pb.RangeRequest) => call.write(answer(2 * limit))).on('end', () => call.end());
    },
    missing: () => undefined,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, got) => (error ? reject(error) : resolve(got)));
  });
  t.after(() => server.forceShutdown());
  return port;
}

async function ourServer(t: TestContext): Promise<number> {
  const server = createServer();
  server.addService(Echo, {
    unary: ({ limit }) => {
      if (limit === 0) throw new GrpcError('not-found', 'ключ → 100 %');
      return limit === 1 ? new Promise(() => undefined) : answer(limit);
    },
    collect: async (call) => answer((await all(call.requests)).reduce((sum, { limit }) => sum + limit, 0)),
    async spread({ limit }, call) {
      for (let i = 0; i < limit; i++) if (!call.send(answer(i))) await call.writable();
    },
    async chat(call) {
      for await (const { limit } of call.requests) call.send(answer(2 * limit));
    },
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close({ graceMs: 0 }));
  return port;
}

test('our client at a grpc-js server', async (t) => {
  const channel = createChannel(`127.0.0.1:${await grpcJsServer(t)}`);
  t.after(() => channel.close());
  const { unary, collect, spread, chat } = Echo.methods;
  assert.deepEqual(await channel.unary(unary, ask(7)), answer(7));
  await assert.rejects(channel.unary(unary, ask(0)), { code: 'not-found', message: 'ключ → 100 %' });
  await assert.rejects(channel.unary(unary, ask(1), { timeoutMs: 50 }), { code: 'deadline-exceeded' });
  await assert.rejects(channel.unary({ ...unary, path: '/no.Such/Thing' }, ask(1)), { code: 'unimplemented' });
  const sum = channel.stream(collect);
  for (const n of [1, 2, 3]) sum.send(ask(n));
  sum.finish();
  assert.deepEqual(await all(sum.responses), [answer(6)]);
  const many = channel.stream(spread);
  many.send(ask(5000));
  many.finish();
  assert.deepEqual(
    (await all(many.responses)).map(({ count }) => count),
    [...Array(5000).keys()],
  );
  const talk = channel.stream(chat);
  const replies = talk.responses[Symbol.asyncIterator]();
  for (const n of [1, 2, 3]) {
    talk.send(ask(n));
    assert.deepEqual((await replies.next()).value, answer(2 * n));
  }
  talk.finish();
  assert.equal((await replies.next()).done, true);
  assert.deepEqual(
    await Promise.all(Array.from({ length: 500 }, (_, i) => channel.unary(unary, ask(i + 2)))),
    Array.from({ length: 500 }, (_, i) => answer(i + 2)),
  );
});

interface NiceClient {
  unary(request: pb.RangeRequest, options?: { signal?: AbortSignal }): Promise<pb.RangeResponse>;
  collect(requests: AsyncIterable<pb.RangeRequest>): Promise<pb.RangeResponse>;
  spread(request: pb.RangeRequest): AsyncIterable<pb.RangeResponse>;
  chat(requests: AsyncIterable<pb.RangeRequest>): AsyncIterable<pb.RangeResponse>;
}

async function* requests(...limits: number[]): AsyncGenerator<pb.RangeRequest> {
  for (const limit of limits) yield ask(limit);
}

test('nice-grpc’s client at our server, and ours at nice-grpc’s', async (t) => {
  const niceChannel = createNiceChannel(`127.0.0.1:${await ourServer(t)}`);
  t.after(() => niceChannel.close());
  const client = createNiceClient(definition as unknown as CompatServiceDefinition, niceChannel) as unknown as NiceClient;
  assert.deepEqual(await client.unary(ask(7)), answer(7));
  await assert.rejects(client.unary(ask(0)), /NOT_FOUND: ключ → 100 %/);
  await assert.rejects(client.unary(ask(1), { signal: AbortSignal.timeout(30) }));
  assert.deepEqual(await client.collect(requests(1, 2, 3)), answer(6));
  assert.equal((await all(client.spread(ask(3000)))).length, 3000);
  assert.deepEqual(
    (await all(client.chat(requests(1, 2)))).map(({ count }) => count),
    [2, 4],
  );

  const server = createNiceServer();
  server.add(
    definition as unknown as CompatServiceDefinition,
    {
      unary: async ({ limit }: pb.RangeRequest) => answer(limit),
      collect: async () => answer(0),
      async *spread({ limit }: pb.RangeRequest) {
        for (let i = 0; i < limit; i++) yield answer(i);
      },
      async *chat() {
        yield answer(0);
      },
      missing: async () => answer(0),
    } as never,
  );
  const port = await server.listen('127.0.0.1:0');
  t.after(() => server.forceShutdown());
  const channel = createChannel(`127.0.0.1:${port}`);
  t.after(() => channel.close());
  assert.deepEqual(await channel.unary(Echo.methods.unary, ask(9)), answer(9));
  const many = channel.stream(Echo.methods.spread);
  many.send(ask(1000));
  many.finish();
  assert.equal((await all(many.responses)).length, 1000);
});

/** What reflection gives, and the service of these tests beside it. */
function connectRegistry(): FileRegistry {
  const files = fileDescriptors.map(({ base64 }) => fromBinary(FileDescriptorProtoSchema, Buffer.from(base64, 'base64')));
  const order = ['auth.proto', 'kv.proto', 'rpc.proto'];
  const echo = create(FileDescriptorProtoSchema, {
    name: 'echo.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: ['rpc.proto'],
    service: [
      {
        name: 'Echo',
        method: methods.map(({ path, kind }) => ({
          name: path.slice(path.lastIndexOf('/') + 1),
          inputType: '.etcdserverpb.RangeRequest',
          outputType: '.etcdserverpb.RangeResponse',
          clientStreaming: kind === 'client-stream' || kind === 'bidi-stream',
          serverStreaming: kind === 'server-stream' || kind === 'bidi-stream',
        })),
      },
    ],
  });
  return createFileRegistry(
    create(FileDescriptorSetSchema, { file: [...order.flatMap((name) => files.filter((file) => file.name === name)), echo] }),
  );
}

test('connect-node’s client at our server, with the descriptors that reflection gives', async (t) => {
  const service = connectRegistry().getService('etcdserverpb.KV');
  assert.ok(service);
  const server = createServer();
  server.addService(pb.KV, {
    range: ({ key, limit }) => {
      if (limit === 0) throw new GrpcError('out-of-range', 'ключ');
      return {
        ...answer(limit),
        kvs: [{ key, value: new Uint8Array(100_000), createRevision: 1, modRevision: 2, version: 3, lease: -1n }],
      };
    },
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close({ graceMs: 0 }));
  const client = createConnectClient(service, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` })) as unknown as {
    range(request: { key: Uint8Array; limit: bigint }): Promise<{ count: bigint; kvs: { value: Uint8Array; lease: bigint }[] }>;
    put(request: object): Promise<object>;
  };
  const got = await client.range({ key: Uint8Array.of(1), limit: 5n });
  assert.equal(got.count, 5n);
  assert.equal(got.kvs[0]?.value.length, 100_000);
  assert.equal(got.kvs[0]?.lease, -1n);
  const codeOf = (code: Code) => (error: unknown) => error instanceof ConnectError && error.code === code;
  await assert.rejects(client.range({ key: Uint8Array.of(1), limit: 0n }), codeOf(Code.OutOfRange));
  await assert.rejects(client.put({}), codeOf(Code.Unimplemented));
});

/** A message as bufbuild's library has it: 64 bits are bigint. */
interface Asked {
  readonly limit: bigint;
}

test('our client at connect-node’s server', async (t) => {
  const service = connectRegistry().getService('test.Echo');
  assert.ok(service);
  const aborted = signalled<unknown>();
  const handlers = {
    unary({ limit }: Asked, { signal }: HandlerContext) {
      if (limit === 0n)
        throw new ConnectError('ключ → 100 %', Code.NotFound, undefined, [{ desc: DurationSchema, value: { seconds: 5n } }]);
      return limit === 1n ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) : { count: limit };
    },
    async collect(asked: AsyncIterable<Asked>) {
      return { count: (await all(asked)).reduce((sum, { limit }) => sum + limit, 0n) };
    },
    async *spread({ limit }: Asked) {
      for (let count = 0n; count < limit; count++) yield { count };
      if (limit === 3n) throw new ConnectError('after three', Code.DataLoss);
    },
    async *chat(asked: AsyncIterable<Asked>, { signal }: HandlerContext) {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
      for await (const { limit } of asked) yield { count: 2n * limit };
    },
  };
  const server = createHttp2Server(connectNodeAdapter({ routes: (router) => router.service(service, handlers as never) }));
  const channel = await channelToServer(t, server);

  const { unary, collect, spread, chat, missing } = Echo.methods;
  assert.deepEqual(await channel.unary(unary, ask(7)), answer(7));
  await assert.rejects(channel.unary(missing, ask(7)), { code: 'unimplemented' });
  await assert.rejects(channel.unary(unary, ask(1), { timeoutMs: 50 }), { code: 'deadline-exceeded' });
  // A google.rpc.Status: code, message, details.
  const details = new BinaryWriter()
    .uint32(0x08)
    .int32(Code.NotFound)
    .uint32(0x12)
    .string('ключ → 100 %')
    .uint32(0x1a)
    .bytes(toBinary(AnySchema, anyPack(DurationSchema, create(DurationSchema, { seconds: 5n }))))
    .finish();
  await assert.rejects(channel.unary(unary, ask(0)), (error) => {
    assert.ok(error instanceof GrpcError);
    assert.equal(error.code, 'not-found');
    assert.equal(error.message, 'ключ → 100 %');
    assert.deepEqual(Buffer.from(error.details ?? []), Buffer.from(details));
    return true;
  });

  const sum = channel.stream(collect);
  for (const n of [1, 2, 3]) sum.send(ask(n));
  sum.finish();
  assert.deepEqual(await all(sum.responses), [answer(6)]);
  const many = channel.stream(spread);
  many.send(ask(3000));
  many.finish();
  assert.deepEqual(
    (await all(many.responses)).map(({ count }) => count),
    [...Array(3000).keys()],
  );
  const broken = channel.stream(spread);
  broken.send(ask(3));
  broken.finish();
  const before: number[] = [];
  await assert.rejects(
    async () => {
      for await (const { count } of broken.responses) before.push(count);
    },
    { code: 'data-loss', message: 'after three' },
  );
  assert.deepEqual(before, [0, 1, 2], 'what came before the error is handed on');

  const talk = channel.stream(chat);
  const replies = talk.responses[Symbol.asyncIterator]();
  for (const n of [1, 2, 3]) {
    talk.send(ask(n));
    assert.deepEqual((await replies.next()).value, answer(2 * n));
  }
  talk.cancel();
  await assert.rejects(replies.next(), { code: 'cancelled' });
  const reason = await aborted.promise;
  assert.ok(reason instanceof ConnectError && reason.code === Code.Canceled, String(reason));
  assert.deepEqual(await channel.unary(unary, ask(8)), answer(8), 'the connection serves on');
});
