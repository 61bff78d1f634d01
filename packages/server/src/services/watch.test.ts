// A stream of watches against a connection that is slow, or goes away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterId, deferred, fromUtf8, memberId, utf8 } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import type { ServerStream } from '@distrokv/grpc';
import type { WatchHub } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type ServerConfig, serverDefaults } from '../config.ts';
import { Replicas } from '../testing/replicas.ts';
import type { ServiceContext } from './context.ts';
import { WatchService } from './watch.ts';

const PROGRESS_MS = 10_000;

function* messagesIn(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + view.getUint32(at + 1);
    assert.equal(bytes[at], 0, 'not compressed');
    assert.ok(end <= bytes.length, 'whole messages');
    yield bytes.subarray(at + 5, end);
    at = end;
  }
}

/** The server's end of a call, with a connection that takes what it is told to. */
class FakeCall {
  needsLeader = false;
  readonly sent: pb.WatchResponse[] = [];
  readonly controller = new AbortController();
  isSlow = false;
  #requests: pb.WatchRequest[] = [];
  #wake = deferred<void>();
  #room = deferred<void>();

  ask(requestUnion: NonNullable<pb.WatchRequest['requestUnion']>): void {
    this.#requests.push({ requestUnion });
    this.#wake.resolve();
  }

  create(key: string, fields: Partial<pb.WatchCreateRequest> = {}): void {
    this.ask({ case: 'createRequest', value: pb.WatchCreateRequest.create({ key: utf8(key), ...fields }) });
  }

  takeAll(): void {
    this.isSlow = false;
    this.#room.resolve();
    this.#room = deferred();
  }

  get stream(): ServerStream<pb.WatchRequest, pb.WatchResponse> {
    const call = {
      signal: this.controller.signal,
      metadata: { get: (name: string) => (this.needsLeader && name === 'hasleader' ? 'true' : undefined) },
      requests: this.#read(),
      sendFramed: (messages: Uint8Array) => {
        for (const message of messagesIn(messages)) this.sent.push(pb.WatchResponse.decode(message));
        return !this.isSlow;
      },
      memory: { allocate: () => undefined, share: () => {}, giveBack: () => {} },
      writable: () => this.#room.promise,
    };
    return call as unknown as ServerStream<pb.WatchRequest, pb.WatchResponse>;
  }

  async *#read(): AsyncGenerator<pb.WatchRequest> {
    for (;;) {
      for (const request of this.#requests.splice(0)) yield request;
      this.#wake = deferred();
      await this.#wake.promise;
    }
  }
}

class Served {
  readonly replicas = new Replicas(1, 1);
  readonly call = new FakeCall();
  ended: Promise<unknown> = Promise.resolve();

  static async start(): Promise<Served> {
    const served = new Served();
    await served.replicas.start(1);
    await served.settle();
    const { env, replica, store } = served.replicas.member(1);
    const config = { maxRequestBytes: 1_572_864, watchProgressNotifyMs: PROGRESS_MS } as ServerConfig;
    const onFatal = (error: unknown): void => assert.fail(String(error));
    const context = {
      env,
      replica,
      store,
      config,
      logger: silentLogger,
      clusterId: clusterId(1n),
      memberId: memberId(1n),
      onFatal,
    } as unknown as ServiceContext;
    const service = new WatchService(context);
    served.ended = Promise.resolve(service.handlers.watch?.(served.call.stream)).catch((error: unknown) => error);
    return served;
  }

  get watches(): WatchHub {
    return this.replicas.member(1).store.watches;
  }

  settle(): Promise<void> {
    return this.replicas.time.settle();
  }

  async put(key: string, value: string): Promise<void> {
    const done = this.replicas
      .member(1)
      .replica.propose({ kind: 'put', request: pb.PutRequest.create({ key: utf8(key), value: utf8(value) }) });
    await this.settle();
    await done;
  }

  get events(): string[] {
    return this.call.sent.flatMap((response) => response.events.map((event) => fromUtf8(event.kv?.value ?? new Uint8Array(0))));
  }
}

test('reliability 35: a cancelled watch takes no other along, not even id 0; a stream that goes away leaves nothing behind (etcd #14563, #18784)', async () => {
  const served = await Served.start();
  served.call.create('a');
  served.call.create('a');
  served.call.ask({ case: 'cancelRequest', value: { watchId: 1 } });
  await served.settle();
  await served.put('a', '1');
  assert.deepEqual(
    served.call.sent.map(({ watchId, created, canceled, events }) => [watchId, created, canceled, events.length]),
    [
      [0, true, false, 0],
      [1, true, false, 0],
      [1, false, true, 0],
      [0, false, false, 1],
    ],
  );
  assert.equal(served.watches.size, 1);
  served.call.controller.abort();
  assert.match(String(await served.ended), /etcdserver: watch canceled/);
  assert.equal(served.watches.size, 0);
  await served.put('a', '2');
  assert.equal(served.call.sent.length, 4);
});

test('reliability 33: a connection that takes nothing for a while gets every event once, in order, and holds little meanwhile (etcd #17247)', async () => {
  const served = await Served.start();
  served.call.create('k');
  await served.settle();
  served.call.isSlow = true;
  const value = (n: number): string => `${n}:${'x'.repeat(2000)}`;
  for (let n = 0; n < 1500; n++) await served.put('k', value(n));
  assert.ok(served.call.sent.length < 10, 'what the connection does not take is not sent');
  served.call.takeAll();
  await served.settle();
  assert.deepEqual(
    served.events,
    Array.from({ length: 1500 }, (_, n) => value(n)),
  );
  // What was kept for it came as it had happened, a response for each put; the rest was read again, many in one.
  const kept = served.call.sent.filter(({ events }) => events.length === 1).length;
  assert.ok(kept * 2000 <= serverDefaults.watchQueueBytes + 20_000, `${kept} responses were kept`);
  await served.put('k', 'live again');
  assert.equal(served.events.at(-1), 'live again');
});

test('progress comes from time to time while nothing happens, not after events, not for who did not ask, and never ahead of events', async () => {
  const served = await Served.start();
  served.call.create('k', { progressNotify: true });
  served.call.create('k');
  served.call.create('k', { progressNotify: true, startRevision: 100 });
  await served.settle();
  const since = served.call.sent.length;
  const progress = (): (readonly [number, number])[] =>
    served.call.sent
      .slice(since)
      .filter(({ events }) => events.length === 0)
      .map(({ watchId, header }) => [watchId, header?.revision ?? 0] as const);
  await served.replicas.time.advance(PROGRESS_MS * 1.1);
  assert.deepEqual(progress(), [[0, 1]]);
  await served.put('k', '1');
  await served.replicas.time.advance(PROGRESS_MS * 1.1);
  assert.equal(progress().length, 1, 'an event was sent since');
  await served.replicas.time.advance(PROGRESS_MS * 1.1);
  assert.deepEqual(progress().at(-1), [0, 2]);

  served.call.ask({ case: 'cancelRequest', value: { watchId: 2 } });
  await served.settle();
  served.call.isSlow = true;
  await served.put('k', '2');
  await served.put('k', '3');
  served.call.ask({ case: 'progressRequest', value: {} });
  await served.settle();
  served.call.takeAll();
  await served.settle();
  const last = served.call.sent.at(-1);
  assert.deepEqual(
    [last?.watchId, last?.header?.revision, served.events.slice(-2)],
    [-1, 4, ['3', '3']],
    'after the events, in the same queue',
  );
});

test('a watch id may be any 64-bit number that a client likes, below 0 too', async () => {
  const served = await Served.start();
  const ids = [-7, 300, 1];
  for (const watchId of ids) served.call.create('k', { watchId });
  await served.settle();
  const since = served.call.sent.length;
  await served.put('k', '1');
  assert.deepEqual(
    served.call.sent.slice(since).map(({ watchId, events }) => [watchId, events.length]),
    ids.map((id) => [id, 1]),
  );
});

test('a stream that insists on a leader ends when there is none for long, and does not begin then; the others go on', async () => {
  const replicas = new Replicas(3, 2);
  for (const id of replicas.ids) await replicas.start(id);
  while (replicas.leader() === undefined) await replicas.time.advance(50);
  await replicas.time.advance(500);
  const cutOff = replicas.ids.find((id) => id !== replicas.leader()) as number;
  const ids = { clusterId: clusterId(1n), memberId: memberId(1n) };
  const config = { maxRequestBytes: 1_572_864 } as ServerConfig;
  const service = new WatchService({ ...replicas.member(cutOff), config, logger: silentLogger, ...ids } as unknown as ServiceContext);
  const serve = (needsLeader: boolean): { readonly call: FakeCall; ended: unknown } => {
    const call = new FakeCall();
    call.needsLeader = needsLeader;
    call.create('k');
    const served: { readonly call: FakeCall; ended: unknown } = { call, ended: undefined };
    Promise.resolve(service.handlers.watch?.(call.stream)).catch((error: unknown) => (served.ended = error));
    return served;
  };
  const [insists, modest] = [serve(true), serve(false)];
  await replicas.time.settle();
  assert.deepEqual([insists.call.sent.length, modest.call.sent.length], [1, 1]);
  replicas.cutOff.add(cutOff);
  await replicas.time.advance(20_000);
  assert.match(String(insists.ended), /etcdserver: no leader/);
  assert.equal(modest.ended, undefined);
  const late = serve(true);
  await replicas.time.settle();
  assert.match(String(late.ended), /etcdserver: no leader/);
  assert.equal(late.call.sent.length, 0);

  replicas.cutOff.clear();
  await replicas.time.advance(5000);
  const leader = replicas.leader() as number;
  const done = replicas.member(leader).replica.propose({ kind: 'put', request: pb.PutRequest.create({ key: utf8('k') }) });
  await replicas.time.advance(1000);
  await done;
  assert.deepEqual([modest.ended, modest.call.sent.length], [undefined, 2]);
});

test('who catches up is told with its events at which revision the store is', async () => {
  const served = await Served.start();
  for (const n of ['1', '2', '3']) await served.put('k', n);
  for (let n = 0; n < 1001; n++) await served.put('elsewhere', ''); // so that it is read in more than one go
  served.call.create('k', { startRevision: 2 });
  await served.settle();
  assert.deepEqual(
    served.call.sent.map(({ header, events }) => [header?.revision, events.length]),
    [
      [1005, 0],
      [1005, 3],
    ],
  );
});
