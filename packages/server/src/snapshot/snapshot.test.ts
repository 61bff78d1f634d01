// Snapshots without a network: sent in pieces, broken off and gone on with, damaged, and installed over what a member has, with the power
// failing at every operation on the disk (at every sixth; DISTROKV_TEST_SCALE=6 leaves none out).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemberId, logIndex, memberId, seededRandom, term, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv, silentLogger } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';
import { Store, storeKeyspaces } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { Entry } from '@distrokv/raft';
import { parseEndpointUrl, serverDefaults, type ServerConfig } from '../config.ts';
import { openStorage, type Storage } from '../storage.ts';
import type { SnapshotSource } from '../transport.ts';
import { namesIn } from '../files.ts';
import { type ReceivedSnapshot, SnapshotReceiver } from './receiver.ts';
import { SnapshotSender } from './sender.ts';

const OWN = 'n1';
const url = parseEndpointUrl('http://n1:2380', 'peer');
const config: ServerConfig = {
  name: OWN,
  dataDirectory: '/data',
  listenClientUrls: [url],
  advertiseClientUrls: [url],
  listenPeerUrls: [url],
  initialAdvertisePeerUrls: [url],
  initialCluster: [
    { name: OWN, peerUrls: [url] },
    { name: 'n2', peerUrls: [parseEndpointUrl('http://n2:2380', 'peer')] },
  ],
  initialClusterState: 'new',
  initialClusterToken: 'test',
  heartbeatMs: 100,
  electionMs: 1000,
  quotaBytes: Infinity,
  maxRequestBytes: serverDefaults.maxRequestBytes,
  maxTxnOps: serverDefaults.maxTxnOps,
};
const AHEAD = 100;

const onFatal = (error: unknown): void => assert.fail(String(error));

/** Runs work that waits for simulated time. */
async function passing<T>(env: MemoryEnv, work: Promise<T>): Promise<T> {
  let done = false;
  const ended = work.finally(() => (done = true));
  ended.catch(() => {});
  while (!done) await env.time.advance(50);
  return ended;
}

function apply(store: Store, index: number, key: string): Promise<void> | undefined {
  store.apply({ kind: 'put', request: pb.PutRequest.create({ key: utf8(key), value: new Uint8Array(300) }) });
  return store.commit(logIndex(index), term(2));
}

/** The engine of a member that is far ahead, on a machine of its own, with entries up to AHEAD of term 2. */
async function ahead(env: MemoryEnv): Promise<{ engine: Engine; store: Store }> {
  const engine = await openEngine({ env, directory: '/ahead', keyspaces: storeKeyspaces, wal: 'none', memtableBytes: 4096, onFatal });
  const store = new Store(engine);
  const ids = (await begun(createMemoryEnv({ seed: 9 }))).members;
  await store.bootstrap(ids);
  for (let i = 1; i <= AHEAD; i++) await apply(store, i, `ahead ${i}`);
  return { engine, store };
}

/** A member at its first start, closed again; the members of its cluster. */
async function begun(env: MemoryEnv): Promise<{ members: readonly pb.Member[] }> {
  const storage = await openStorage({ config, env, logger: silentLogger, onFatal });
  const { members } = storage.store;
  await storage.close({ flush: true });
  return { members };
}

const VOTE = memberId(0xabcn);

/** A member that has entries 1 to 10, of term 2, in its log, and has voted in term 5. */
async function behind(env: MemoryEnv): Promise<Storage> {
  const storage = await openStorage({ config, env, logger: silentLogger, onFatal });
  const entries = Array.from({ length: 10 }, (_, i): Entry => ({ index: logIndex(i + 1), term: term(2), kind: 'noop', data: utf8('') }));
  await new Promise<void>((onDurable) =>
    storage.log.write({ hardState: { term: term(5), vote: VOTE, commit: logIndex(3) }, entries, onDurable }),
  );
  for (let i = 1; i <= 10; i++) await apply(storage.store, i, `behind ${i}`);
  return storage;
}

interface Exchange {
  readonly sender: SnapshotSender;
  readonly sent: (readonly [to: MemberId, index: number | undefined])[];
  readonly received: ReceivedSnapshot[];
  readonly reads: number[];
  /** What was sent last. */
  source?: SnapshotSource;
}

/** A sender on `from`, whose snapshots go to a receiver on `to`; `disturb` may change or refuse a piece, by its number. */
async function exchange(
  from: MemoryEnv,
  to: MemoryEnv,
  disturb: (n: number, piece: Uint8Array) => Uint8Array = (_, p) => p,
): Promise<Exchange> {
  const { engine, store } = await ahead(from);
  const result: Omit<Exchange, 'sender'> = { sent: [], received: [], reads: [] };
  const receiver = new SnapshotReceiver({
    env: to,
    logger: silentLogger,
    dataDirectory: '/data',
    isNeeded: (index) => index > 10,
    onReceived: (snapshot) => result.received.push(snapshot),
  });
  const sender = new SnapshotSender({
    env: from,
    logger: silentLogger,
    directory: '/out',
    engine,
    store,
    firstLogIndex: () => logIndex(1),
    send: (_, source) => receiver.receive((result.source = disturbed(source, result.reads, disturb))),
    onSent: (member, index) => result.sent.push([member, index]),
  });
  await sender.start();
  return Object.assign(result, { sender });
}

function disturbed(source: SnapshotSource, reads: number[], disturb: (n: number, piece: Uint8Array) => Uint8Array): SnapshotSource {
  const { id, files } = source;
  return {
    id,
    files,
    read: async (file, offset, length) => {
      const piece = disturb(reads.length, await source.read(file, offset, Math.min(length, 1000)));
      reads.push(piece.length);
      return piece;
    },
  };
}

async function untilSent(env: MemoryEnv, { sender, sent }: Exchange): Promise<number | undefined> {
  const before = sent.length;
  sender.send(memberId(2n));
  for (let i = 0; i < 200 && sent.length === before; i++) await env.time.advance(50);
  return sent.at(-1)?.[1];
}

test('a snapshot comes in pieces, is checked, and says up to where it goes', async () => {
  const env = createMemoryEnv({ seed: 1 });
  await (await behind(env)).close({ flush: true });
  const run = await exchange(env, env);
  assert.equal(await untilSent(env, run), AHEAD);
  assert.deepEqual(run.received, [{ index: AHEAD, term: 2 }]);
  assert.ok(run.reads.length > 10 && Math.max(...run.reads) <= 1000);
  await run.sender.stop();
  assert.deepEqual(await namesIn(env.fs, '/out'), [], 'the checkpoint goes');
});

test('a transfer that breaks off goes on where it was', async () => {
  const env = createMemoryEnv({ seed: 2 });
  await (await behind(env)).close({ flush: true });
  let isBroken = false;
  const run = await exchange(env, env, (n, piece) => {
    if (n === 15 && !isBroken) {
      isBroken = true;
      throw new Error('the stream broke');
    }
    return piece;
  });
  assert.equal(await untilSent(env, run), undefined);
  const before = run.reads.reduce((sum, n) => sum + n, 0);
  assert.equal(await untilSent(env, run), AHEAD);
  const all = run.reads.reduce((sum, n) => sum + n, 0);
  const names = await namesIn(env.fs, '/data/snapshot.in/db');
  const sizes = await Promise.all(names.map((name) => env.fs.sizeOf(`/data/snapshot.in/db/${name}`)));
  assert.ok(
    before > 10_000 && all < (sizes as number[]).reduce((sum, n) => sum + n, 0) + 1000,
    `${before} of ${all} bytes were not sent again`,
  );
  await run.sender.stop();
});

test('a snapshot whose bytes changed on the way is refused, and begun anew', async () => {
  const env = createMemoryEnv({ seed: 3 });
  await (await behind(env)).close({ flush: true });
  let isDamaged = false;
  const run = await exchange(env, env, (n, piece) => {
    if (n !== 12 || isDamaged) return piece;
    isDamaged = true;
    return piece.map((byte, i) => (i === 7 ? byte ^ 0x10 : byte));
  });
  assert.equal(await untilSent(env, run), undefined);
  assert.deepEqual([run.received, await namesIn(env.fs, '/data/snapshot.in')], [[], []]);
  assert.equal(await untilSent(env, run), AHEAD);
  await run.sender.stop();
});

test('names that lead out of the directory, and sizes that are not kept to, are refused', async () => {
  const env = createMemoryEnv({ seed: 4 });
  await (await behind(env)).close({ flush: true });
  const receiver = new SnapshotReceiver({ env, logger: silentLogger, dataDirectory: '/data', isNeeded: () => true, onReceived: () => {} });
  const offer = (names: readonly string[], piece: Uint8Array): Promise<unknown> =>
    receiver.receive({ id: 1n, files: names.map((name) => ({ name, bytes: 5 })), read: () => Promise.resolve(piece) });
  for (const name of ['../db/MANIFEST', '/etc/passwd', '..', '', 'a/b'])
    await assert.rejects(offer([name], utf8('12345')), /impossible names/);
  await assert.rejects(offer(['a', 'a'], utf8('12345')), /impossible names/);
  await assert.rejects(offer(['a'], utf8('123456')), /a piece of a has 6 bytes/);
  await assert.rejects(offer(['a'], utf8('')), /a piece of a has 0 bytes/);
});

test('reliability 29: what a snapshot has applied stays, over what was applied here before (etcd #13933)', async () => {
  const env = createMemoryEnv({ seed: 5 });
  const before = await behind(env); // its ten entries are in memory, and would be written by a flush that comes too late
  const run = await exchange(env, env);
  await untilSent(env, run);
  await passing(env, before.install(run.received[0] ?? assert.fail('no snapshot')));
  for (const lives of [1, 2, 3]) {
    const storage = await openStorage({ config, env, logger: silentLogger, onFatal });
    const { store, log } = storage;
    const index = AHEAD + lives;
    assert.deepEqual([store.state.appliedIndex, log.lastIndex(), store.state.revision], [index - 1, index - 1, index]);
    const entry: Entry = { index: logIndex(index), term: term(2), kind: 'noop', data: utf8('') };
    await new Promise<void>((onDurable) => log.write({ hardState: undefined, entries: [entry], onDurable }));
    await apply(store, index, `after ${index}`);
    await storage.close({ flush: true });
  }
});

test('what a crash leaves of an installed snapshot is not written to by the next transfer of it: the engine has the same files', async () => {
  const before = createMemoryEnv({ seed: 7 });
  const storage = await behind(before);
  const run = await exchange(createMemoryEnv({ seed: 6, time: before.time }), before);
  await untilSent(before, run);
  await passing(before, storage.install(run.received[0] ?? assert.fail('no snapshot')));
  let isFinished = false;
  before.fs.onOperation = ({ kind, path }) => {
    if (kind !== 'removeFile') return undefined;
    if (isFinished && path.startsWith('/data/snapshot.in/')) return 'crash';
    isFinished ||= path === '/data/INSTALL';
    return undefined;
  };
  await assert.rejects(openStorage({ config, env: before, logger: silentLogger, onFatal: () => {} }));
  const env = createMemoryEnv({ seed: 8, fs: before.fs.crash('kept', seededRandom(1)) });
  let opened = await openStorage({ config, env, logger: silentLogger, onFatal });
  const append = async (index: number): Promise<void> => {
    const { store, log, engine } = opened;
    const entry: Entry = { index: logIndex(index), term: term(2), kind: 'noop', data: utf8('') };
    await new Promise<void>((onDurable) => log.write({ hardState: undefined, entries: [entry], onDurable }));
    await apply(store, index, `after ${index}`);
    await engine.flush();
  };
  await append(AHEAD + 1);
  const { source } = run;
  const receiver = new SnapshotReceiver({ env, logger: silentLogger, dataDirectory: '/data', isNeeded: () => false, onReceived: () => {} });
  assert.equal(await receiver.receive(source ?? assert.fail('no snapshot was sent')), AHEAD);
  await append(AHEAD + 2);
  await opened.close({ flush: true });
  opened = await openStorage({ config, env, logger: silentLogger, onFatal });
  assert.equal(opened.store.state.appliedIndex, AHEAD + 2);
  await opened.close({ flush: false });
});

test('a storage whose disk fails is closed all the same, and its directory can be used again', async () => {
  const env = createMemoryEnv({ seed: 9 });
  const storage = await openStorage({ config, env, logger: silentLogger, onFatal: () => {} });
  await apply(storage.store, 1, 'not flushed');
  env.fs.onOperation = ({ kind, path }) => (kind === 'sync' && path.includes('.sst') ? 'io' : undefined);
  await assert.rejects(storage.close({ flush: true }), { code: 'failed' });
  env.fs.onOperation = undefined;
  await (await openStorage({ config, env, logger: silentLogger, onFatal })).close({ flush: true });
});

test('a checkpoint that could not be made holds up no log', async () => {
  const env = createMemoryEnv({ seed: 10 });
  await (await behind(env)).close({ flush: true });
  const run = await exchange(env, env);
  env.fs.onOperation = ({ kind }) => (kind === 'link' ? 'no-space' : undefined);
  assert.equal(await untilSent(env, run), undefined);
  assert.equal(run.sender.neededAfter, undefined);
});

test('a checkpoint that cannot be removed ends nothing', async () => {
  const env = createMemoryEnv({ seed: 11 });
  await (await behind(env)).close({ flush: true });
  const run = await exchange(env, env);
  assert.equal(await untilSent(env, run), AHEAD);
  env.fs.onOperation = ({ kind, path }) => (kind === 'removeFile' && path.startsWith('/out') ? 'io' : undefined);
  // Its time is up: a rejection that nobody handles would end the process, and fails this test.
  await env.time.advance(120_000);
  assert.equal(run.sender.neededAfter, undefined);
  await run.sender.stop();
});

/** Installs a snapshot; the power fails after `operations` operations. What is there afterwards, and whether it came to its end. */
async function installedWithCrash(seed: number, operations: number): Promise<{ readonly storage: Storage; readonly finished: boolean }> {
  const env = createMemoryEnv({ seed });
  const storage = await behind(env);
  const run = await exchange(env, env);
  await untilSent(env, run);
  const snapshot = run.received[0] ?? assert.fail('no snapshot');
  let count = 0;
  env.fs.onOperation = ({ path }) => (path.startsWith('/data') && count++ >= operations ? 'io' : undefined);
  let finished = true;
  try {
    await passing(env, storage.install(snapshot));
    const opened = await openStorage({ config, env, logger: silentLogger, onFatal: () => {} });
    await opened.close({ flush: false });
  } catch {
    finished = false;
  }
  finished &&= count <= operations;
  const random = seededRandom(seed);
  const mode = (['lost', 'kept', 'torn', 'reordered'] as const)[random.below(4)] ?? 'lost';
  const after = createMemoryEnv({ seed: seed + 1, fs: env.fs.crash(mode, random) });
  return { storage: await openStorage({ config, env: after, logger: silentLogger, onFatal }), finished };
}

test('a power cut at any operation of an installation leaves the old state or the new one, and what was promised', async (t) => {
  const outcomes = { old: 0, new: 0 };
  const step = Math.min(6, Math.max(1, Math.round(6 / Number(process.env['DISTROKV_TEST_SCALE'] ?? 1))));
  for (let operations = 0; ; operations += step) {
    const { storage, finished } = await installedWithCrash(1000 + operations, operations);
    const { log, store } = storage;
    const { term: inTerm, vote } = log.hardState;
    assert.deepEqual([inTerm, vote], [5, VOTE], `after ${operations} operations: the vote is remembered`);
    if (store.state.appliedIndex === AHEAD) {
      outcomes.new++;
      assert.deepEqual(
        [log.firstIndex(), log.lastIndex(), log.termAt(logIndex(AHEAD)), log.hardState.commit],
        [AHEAD + 1, AHEAD, 2, AHEAD],
      );
    } else {
      outcomes.old++;
      assert.deepEqual([log.firstIndex(), log.lastIndex()], [1, 10], `after ${operations} operations`);
      assert.ok(!finished, 'an installation that came to its end is there');
    }
    await storage.close({ flush: false });
    if (finished) break;
  }
  t.diagnostic(`${outcomes.old} times the old state, ${outcomes.new} times the new one`);
  assert.ok(outcomes.old > 2 && outcomes.new > 5);
});
