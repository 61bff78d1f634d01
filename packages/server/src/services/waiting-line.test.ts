// Lines of keys, where what happens between two looks at them matters: in real time that is a matter of luck.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { clusterId, fromUtf8, memberId, utf8 } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import { GrpcError, type ServerCall } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from '../config.ts';
import { Replicas } from '../testing/replicas.ts';
import { Compactor } from './compactor.ts';
import type { ServiceContext } from './context.ts';
import { KvService } from './kv.ts';
import type { LeaseService } from './lease.ts';
import { Quota } from './quota.ts';
import { LeaseClock } from './lease-clock.ts';
import { lockHandlers } from './lock.ts';
import { type Place, WaitingLine } from './waiting-line.ts';
import { WatchService } from './watch.ts';

/** One member, whose ranges are answered late: after what is to happen in between. */
class Line extends WaitingLine {
  readonly replicas: Replicas;
  readonly kv: KvService;
  readonly context: ServiceContext;
  readonly controller = new AbortController();
  readonly #between: { work: (() => Promise<void>) | undefined };

  static async open(): Promise<Line> {
    const replicas = new Replicas(1, 1);
    await replicas.start(1);
    await replicas.time.settle();
    const { env, replica, store } = replicas.member(1);
    const config = { maxTxnOps: 128, quotaBytes: Infinity } as ServerConfig;
    const onFatal = (error: unknown): void => assert.fail(String(error));
    const ids = { clusterId: clusterId(1n), memberId: memberId(1n) };
    const context = { env, replica, store, config, logger: silentLogger, ...ids, onFatal } as unknown as ServiceContext;
    new WatchService(context); // reads the past for those who lag
    const between: { work: (() => Promise<void>) | undefined } = { work: undefined };
    const kv = new (class extends KvService {
      override async range(request: pb.RangeRequest): Promise<pb.RangeResponse> {
        const found = await super.range(request);
        const { work } = between;
        between.work = undefined;
        await work?.();
        return found;
      }
    })(context, new Quota(context), new Compactor(context));
    return new Line(context, kv, replicas, between);
  }

  constructor(context: ServiceContext, kv: KvService, replicas: Replicas, between: { work: (() => Promise<void>) | undefined }) {
    super(context, kv, {} as LeaseService, utf8('line'));
    this.context = context;
    this.replicas = replicas;
    this.kv = kv;
    this.#between = between;
  }

  /** Happens after the next range is read, and before whoever asked for it has it. */
  between(work: () => Promise<unknown>): void {
    this.#between.work = async () => void (await work());
  }

  /** Lets what is under way come to its end. */
  async finish<T>(work: Promise<T>): Promise<T> {
    await this.replicas.time.settle();
    return await work;
  }

  async grant(...ids: readonly bigint[]): Promise<void> {
    for (const id of ids) await this.grantFor(1000, id);
  }

  async grantFor(ttl: number, id: bigint): Promise<void> {
    await this.finish(this.replicas.member(1).replica.propose({ kind: 'lease-grant', request: { id, ttl } }));
  }

  /** As the members of the line stand in it. */
  async places(): Promise<string[]> {
    const { kvs } = await this.finish(this.kv.range(pb.RangeRequest.create({ key: utf8('line/'), rangeEnd: utf8('line0') })));
    return kvs.map(({ key }) => fromUtf8(key));
  }

  takes(lease: bigint, value = ''): Promise<Place> {
    return this.finish(this.enter(lease, utf8(value)));
  }

  write(key: Uint8Array, value: string, lease = 0n): Promise<pb.PutResponse> {
    return this.kv.put(pb.PutRequest.create({ key, value: utf8(value), lease }));
  }

  delete(key: Uint8Array): Promise<pb.DeleteRangeResponse> {
    return this.kv.deleteRange(pb.DeleteRangeRequest.create({ key }));
  }

  /** All that happened until now is forgotten. */
  async compact(): Promise<void> {
    const { store } = this.replicas.member(1);
    await this.kv.compact(pb.CompactionRequest.create({ revision: store.state.revision }));
  }

  get watchers(): number {
    return this.replicas.member(1).store.watches.size;
  }
}

test('whoever waits goes on waiting when the past that it would hear of is compacted, and is first once it is', async () => {
  const line = await Line.open();
  await line.grant(1n, 2n);
  const [first, second] = [await line.takes(1n), await line.takes(2n)];
  line.between(async () => {
    await line.write(utf8('elsewhere'), '1');
    await line.write(utf8('elsewhere'), '2');
    await line.compact();
  });
  const waiting = line.wait(second, [line.controller.signal]);
  await line.replicas.time.settle();
  assert.equal(line.watchers, 1, 'it waits for the first');
  const gone = await line.finish(line.delete(first.key));
  assert.equal((await line.finish(waiting))?.revision, gone.header?.revision, 'the header is of the read that found it first');
  assert.equal(line.watchers, 0);

  line.between(async () => {
    await line.delete(second.key);
    await line.write(utf8('elsewhere'), '3');
    await line.compact();
  });
  const third = await line.takes(1n);
  assert.equal((await line.finish(line.wait(third, []))) === undefined, false, 'the delete itself was compacted');
});

test('who observes is told every value of every leader, in order, however late it comes to read them', async () => {
  const line = await Line.open();
  await line.grant(1n, 2n, 3n);
  const leaders = line.leaders([line.controller.signal]);
  const next = async (): Promise<string> => {
    const { value } = await line.finish(leaders.next());
    assert.ok((value.header.revision ?? 0) >= value.kv.modRevision);
    return fromUtf8(value.kv.value);
  };
  const one = await line.takes(1n, 'one');
  assert.equal(await next(), 'one');
  const two = await line.takes(2n, 'two');
  const history = (async () => {
    await line.write(one.key, 'uno', 1n);
    await line.write(two.key, 'dos', 2n);
    await line.write(one.key, 'eins', 1n);
    await line.delete(one.key);
    await line.write(two.key, 'zwei', 2n);
    await line.delete(two.key);
    await line.enter(3n, utf8('three'));
    await line.delete(utf8('line/3'));
    await line.enter(1n, utf8('one again'));
  })();
  await line.finish(history);
  const told: string[] = [];
  while (told.at(-1) !== 'one again') told.push(await next());
  assert.deepEqual(told, ['uno', 'eins', 'dos', 'zwei', 'three', 'one again']);

  // What is compacted before it was read is left out, and what was told is not told again.
  const waiting = leaders.next();
  await line.replicas.time.settle();
  line.between(async () => {
    await line.write(utf8('line/1'), 'forgotten', 1n);
    await line.write(utf8('line/1'), 'known', 1n);
    await line.compact();
  });
  await line.finish(line.delete(utf8('line/1')));
  const { value } = await line.finish(waiting);
  assert.equal(fromUtf8(value.kv.value), 'known');
});

test('whoever has waited leaves nothing on the signals, nor among the watchers', async () => {
  const line = await Line.open();
  await line.grant(1n, 2n);
  const stopping = new AbortController();
  const listeners = (): number => getEventListeners(stopping.signal, 'abort').length;
  const leaders = line.leaders([line.controller.signal, stopping.signal]);
  const first = await line.takes(1n);
  await line.finish(leaders.next());
  const second = await line.takes(2n);
  const waiting = line.wait(second, [line.controller.signal, stopping.signal]);
  const listening = leaders.next();
  await line.replicas.time.settle();
  assert.deepEqual([listeners(), line.watchers], [2, 2]);
  await line.finish(line.delete(first.key));
  await line.finish(waiting);
  await line.finish(listening);
  const over = assert.rejects(leaders.next(), /the client has gone/);
  line.controller.abort(new Error('the client has gone'));
  await line.finish(over);
  assert.deepEqual([listeners(), line.watchers], [0, 0]);
});

test('the lease of who waits is kept alive however long that takes, and no longer', async () => {
  const line = await Line.open();
  const { store } = line.replicas.member(1);
  const clock = new LeaseClock({ ...line.context, config: { electionMs: 1000 } });
  clock.start();
  await line.grant(1n);
  await line.grantFor(3, 2n);
  const [first, second] = [await line.takes(1n), await line.takes(2n)];
  const waiting = line.wait(second, [line.controller.signal]);
  await line.replicas.time.advance(60_000);
  assert.equal(store.leases.get(2n)?.ttl, 3);
  await line.finish(line.delete(first.key));
  assert.ok(await line.finish(waiting));
  await line.replicas.time.advance(6000);
  assert.equal(store.leases.get(2n), undefined);
  clock.stop();
});

test('whoever gives up waiting for a lock leaves the line', async () => {
  const line = await Line.open();
  await line.grant(1n, 2n);
  await line.takes(1n);
  const call = { signal: line.controller.signal, metadata: { get: () => undefined } };
  const { lock } = lockHandlers(line.context, line.kv, {} as LeaseService, new AbortController().signal);
  const locked = lock?.({ name: utf8('line'), lease: 2n }, call as unknown as ServerCall);
  await line.replicas.time.settle();
  assert.deepEqual(await line.places(), ['line/1', 'line/2']);
  const givenUp = assert.rejects(Promise.resolve(locked), { code: 'cancelled' });
  line.controller.abort(new GrpcError('cancelled', 'context canceled'));
  await line.finish(givenUp);
  assert.deepEqual(await line.places(), ['line/1']);
});

test('who leaves takes nothing from who has the key since, though that is the same lease', async () => {
  const line = await Line.open();
  await line.grant(1n);
  const before = await line.takes(1n);
  await line.finish(line.leave(before));
  const now = await line.takes(1n);
  assert.deepEqual([now.key, now.revision > before.revision], [before.key, true]);
  const told = await line.finish(line.leave(before));
  assert.deepEqual([told?.revision, await line.places()], [now.revision, ['line/1']]);
  await line.finish(line.leave(now));
  assert.deepEqual(await line.places(), []);
});
