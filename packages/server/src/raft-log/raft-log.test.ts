// The log under random writes that overwrite each other, with tiny segments, a tiny memory, and a crash after every operation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, clusterId, logIndex, memberId, seededRandom, term, utf8 } from '@distrokv/base';
import { type CrashMode, type MemoryEnv, type MemoryFileSystem, createMemoryEnv, silentLogger } from '@distrokv/env';
import type { Entry, HardState } from '@distrokv/raft';
import { RaftLog } from './raft-log.ts';

const identity = { clusterId: clusterId(7n), memberId: memberId(1n << 63n) };
const modes: readonly CrashMode[] = ['lost', 'kept', 'torn', 'reordered'];

function openLog(env: MemoryEnv, onFatal: (error: unknown) => void = (error) => assert.fail(String(error))): Promise<RaftLog> {
  return RaftLog.open({ env, logger: silentLogger, directory: '/raft', identity, segmentBytes: 600, recentBytes: 400, onFatal });
}

interface Write {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
}

/** Writes as a member makes them: mostly appends, now and then an overwrite by a new leader, or a vote. */
function randomWrites(random: Random, count: number): Write[] {
  const writes: Write[] = [];
  let last = 0;
  let inTerm = 1;
  for (let i = 0; i < count; i++) {
    let hardState: HardState | undefined;
    let first = last + 1;
    if (random.chance(0.2)) {
      inTerm++;
      if (last > 0) first = random.between(Math.max(1, last - 12), last + 1);
      hardState = { term: term(inTerm), vote: random.chance(0.5) ? memberId(3n) : undefined, commit: logIndex(Math.max(0, first - 1)) };
    }
    const size = random.between(hardState ? 0 : 1, 4);
    const entries = Array.from({ length: size }, (_, k): Entry => {
      const data = utf8(`${i}.${k} `.repeat(random.below(12)));
      return { index: logIndex(first + k), term: term(inTerm), kind: data.length > 0 ? 'command' : 'noop', data };
    });
    if (size > 0) last = first + size - 1;
    writes.push({ hardState, entries });
  }
  return writes;
}

/** What a log holds after these writes. */
function expected(writes: readonly Write[]): { entries: Entry[]; hardState: HardState } {
  const entries: Entry[] = [];
  let hardState: HardState = { term: term(0), vote: undefined, commit: logIndex(0) };
  for (const write of writes) {
    hardState = write.hardState ?? hardState;
    if (write.entries[0]) entries.length = write.entries[0].index - 1;
    entries.push(...write.entries);
  }
  return { entries, hardState };
}

function contents(log: RaftLog): { entries: Entry[]; hardState: HardState } {
  const entries: Entry[] = [];
  for (let from = log.firstIndex(); from <= log.lastIndex(); from = logIndex(from + 1)) {
    const some = log.entries(from, logIndex(log.lastIndex() + 1), 100);
    assert.ok(some.length > 0 && some[0]?.index === from, `the log has entry ${from}`);
    entries.push(...some);
    from = logIndex(from + some.length - 1);
  }
  for (const entry of entries) assert.equal(log.termAt(entry.index), entry.term);
  return { entries, hardState: log.hardState };
}

const plain = (state: { entries: Entry[]; hardState: HardState }): unknown => ({
  hardState: state.hardState,
  entries: state.entries.map((e) => `${e.index}/${e.term} ${e.kind} ${Buffer.from(e.data).toString()}`),
});

/** Makes the writes, some together; calls `onDurable` with how many are. Resolves when all are, or the file system is gone. */
async function run(log: RaftLog, writes: readonly Write[], random: Random, onDurable: (count: number) => void): Promise<void> {
  let next = 0;
  while (next < writes.length) {
    const group = writes.slice(next, next + random.between(1, 3));
    await new Promise<void>((resolve) => {
      for (const write of group) {
        log.write({
          ...write,
          onDurable: () => {
            onDurable(++next);
            if (write === group.at(-1)) resolve();
          },
        });
      }
    });
  }
}

test('random writes read back, from memory and from disk, and after a clean restart', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const writes = randomWrites(random, 60);
    const env = createMemoryEnv({ seed });
    const log = await openLog(env);
    await run(log, writes, random, () => {});
    assert.deepEqual(plain(contents(log)), plain(expected(writes)), `seed ${seed}`);
    await log.close();
    const again = await openLog(env);
    assert.deepEqual(plain(contents(again)), plain(expected(writes)), `seed ${seed}, opened again`);
    assert.deepEqual(again.identity, identity);
  }
});

test('a crash after any operation loses nothing that was reported durable, and shows nothing that was not written', async () => {
  let images = 0;
  for (let seed = 1; seed <= 3; seed++) {
    const writes = randomWrites(seededRandom(seed), 25);
    for (let operation = 1; ; operation++) {
      const crashed = await crashAt(seed, writes, operation);
      if (!crashed) break;
      for (const mode of modes) {
        const random = seededRandom(seed * 1000 + operation);
        await checkImage(crashed.fs.crash(mode, random), writes, crashed.durable, `seed ${seed}, operation ${operation}, ${mode}`);
        images++;
      }
    }
  }
  assert.ok(images > 500, `${images} images`);
});

/** Runs until the n-th call that changes something, and stops the world there; undefined when there are fewer. */
async function crashAt(
  seed: number,
  writes: readonly Write[],
  operation: number,
): Promise<{ fs: MemoryFileSystem; durable: number } | undefined> {
  const env = createMemoryEnv({ seed });
  let durable = 0;
  const stopped = new Promise<true>((resolve) => {
    env.fs.onOperation = ({ mutation }) => {
      if (mutation === undefined || mutation < operation) return undefined;
      resolve(true);
      return 'crash';
    };
  });
  const done = (async () => {
    const log = await openLog(env, () => {});
    await run(log, writes, seededRandom(seed), (count) => (durable = count));
    return false;
  })();
  const ended = await Promise.race([stopped, done.catch(() => true)]);
  return ended ? { fs: env.fs, durable } : undefined;
}

async function checkImage(fs: MemoryFileSystem, writes: readonly Write[], durable: number, what: string): Promise<void> {
  const log = await openLog(createMemoryEnv({ seed: 1, fs }));
  const found = JSON.stringify(plain(contents(log)), (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v));
  const possible = new Set<string>();
  for (let n = durable; n <= writes.length; n++) {
    possible.add(JSON.stringify(plain(expected(writes.slice(0, n))), (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)));
  }
  assert.ok(possible.has(found), `${what}: the log is as after at least ${durable} writes, not\n${found}`);
  // It goes on from there.
  const next: Entry = { index: logIndex(log.lastIndex() + 1), term: term(99), kind: 'command', data: utf8('next') };
  await run(log, [{ hardState: undefined, entries: [next] }], seededRandom(1), () => {});
  assert.equal(log.lastIndex(), next.index);
  assert.deepEqual(log.entries(next.index, logIndex(next.index + 1), 1), [next]);
}

test('compaction drops whole segments up to the index, and remembers the term before them', async () => {
  const env = createMemoryEnv({ seed: 5 });
  const log = await openLog(env);
  const writes = randomWrites(seededRandom(5), 80);
  await run(log, writes, seededRandom(5), () => {});
  const { entries } = expected(writes);
  await log.compact(logIndex(30));
  const first = log.firstIndex();
  assert.ok(first > 1 && first <= 31, `the log starts at ${first}`);
  assert.equal(log.termAt(logIndex(first - 1)), entries[first - 2]?.term);
  assert.equal(log.termAt(logIndex(first - 2)), undefined);
  await log.close();
  const again = await openLog(env);
  assert.equal(again.firstIndex(), first);
  assert.deepEqual(plain(contents(again)), plain({ ...expected(writes), entries: entries.slice(first - 1) }));
});

test('a crash while segments are dropped leaves no gap between those that stay', async () => {
  const writes = randomWrites(seededRandom(5), 80);
  for (let operation = 1, images = 1; images > 0; operation++) {
    images = 0;
    for (const [mode, seed] of modes.flatMap((each) => [1, 2, 3].map((n) => [each, n] as const))) {
      const env = createMemoryEnv({ seed: 5 });
      const log = await openLog(env);
      await run(log, writes, seededRandom(5), () => {});
      let operations = 0;
      let image: MemoryFileSystem | undefined;
      env.fs.onOperation = ({ mutation }) => {
        if (mutation !== undefined && ++operations === operation) image = env.fs.crash(mode, seededRandom(seed));
        return undefined;
      };
      await log.compact(logIndex(60)).catch((error: unknown) => {
        if (!image) throw error;
      });
      if (!image) continue;
      images++;
      const again = await openLog(createMemoryEnv({ seed: 1, fs: image }));
      assert.equal(again.lastIndex(), expected(writes).entries.length, `operation ${operation}, ${mode} ${seed}`);
    }
    assert.ok(images > 0 || operation > 5, 'several segments are dropped');
  }
});

test('any flipped byte of a log that was closed is found out, or makes no difference', async () => {
  const env = createMemoryEnv({ seed: 6 });
  const log = await openLog(env);
  const writes = randomWrites(seededRandom(6), 30);
  await run(log, writes, seededRandom(6), () => {});
  await log.close();
  const random = seededRandom(6);
  let refused = 0;
  for (const name of await env.fs.readDirectory('/raft')) {
    const size = (await env.fs.sizeOf(`/raft/${name}`)) as number;
    for (let at = 0; at < size; at += 3) {
      const copy = await copyOf(env.fs);
      const file = await copy.open(`/raft/${name}`, 'write');
      const byte = new Uint8Array(1);
      file.readSync(byte, at);
      file.writeSync(Uint8Array.of((byte[0] as number) ^ (1 << random.below(8))), at);
      await file.close();
      const opened = await openLog(createMemoryEnv({ seed: 1, fs: copy })).catch(() => undefined);
      if (!opened) refused++;
      else assert.deepEqual(plain(contents(opened)), plain(expected(writes)), `${name}, byte ${at}: what is read is what was written`);
    }
  }
  assert.ok(refused > 100, `${refused} refused`);
});

async function copyOf(fs: MemoryFileSystem): Promise<MemoryFileSystem> {
  const copy = createMemoryEnv({ seed: 2 }).fs;
  await copy.makeDirectory('/raft');
  for (const name of await fs.readDirectory('/raft')) {
    const file = await copy.open(`/raft/${name}`, 'create');
    file.writeSync(await fs.readFile(`/raft/${name}`, 1 << 20), 0);
    await file.close();
  }
  return copy;
}

test('a failed sync is final: nothing is reported durable after it', async () => {
  const env = createMemoryEnv({ seed: 8 });
  const failures: unknown[] = [];
  const log = await openLog(env, (error) => failures.push(error));
  let fail = true;
  env.fs.onOperation = ({ kind }) => (fail && kind === 'sync' ? 'io' : undefined);
  let durable = 0;
  const entry = (i: number): Entry => ({ index: logIndex(i), term: term(1), kind: 'command', data: utf8('x') });
  log.write({ hardState: undefined, entries: [entry(1)], onDurable: () => durable++ });
  await env.time.settle();
  fail = false;
  log.write({ hardState: undefined, entries: [entry(2)], onDurable: () => durable++ });
  await env.time.settle();
  assert.deepEqual([durable, failures.length], [0, 1]);
});

test('a full disk is waited for: the write happens once there is room, and is not torn', async () => {
  const env = createMemoryEnv({ seed: 9 });
  const log = await openLog(env);
  let full = true;
  env.fs.onOperation = ({ kind }) => (full && kind === 'write' ? 'no-space' : undefined);
  let durable = 0;
  const entries: Entry[] = [{ index: logIndex(1), term: term(1), kind: 'command', data: utf8('waits') }];
  log.write({ hardState: undefined, entries, onDurable: () => durable++ });
  await env.time.advance(2000);
  assert.equal(durable, 0);
  full = false;
  await env.time.advance(1000);
  assert.equal(durable, 1);
  assert.deepEqual(log.entries(logIndex(1), logIndex(2), 100), entries);
});

test('what a log shows after its process was killed anywhere, or stopped itself at a failed sync, outlives the next loss of power', async () => {
  const writes = randomWrites(seededRandom(5), 30);
  for (const fails of [false, true]) {
    for (let n = 0, isStruck = true; isStruck; n++) {
      const env = createMemoryEnv({ seed: n });
      isStruck = false;
      env.fs.onOperation = ({ kind, mutation }) => {
        if (mutation === undefined || mutation < n || isStruck || (fails && kind !== 'sync')) return undefined;
        isStruck = true;
        return fails ? 'io' : 'crash';
      };
      const log = await openLog(env, () => {}).catch(() => undefined);
      if (log) void run(log, writes, seededRandom(n), () => {});
      await env.time.settle();
      let fs = env.fs.kill();
      const next = await openLog(createMemoryEnv({ seed: n, fs }));
      const shown = plain(contents(next));
      fs = fs.crash('lost', seededRandom(n));
      assert.deepEqual(
        plain(contents(await openLog(createMemoryEnv({ seed: n, fs })))),
        shown,
        `${fails ? 'sync failed' : 'killed'} at ${n}`,
      );
    }
  }
});

test('a log that is closed after a failed sync does not say that it was synced', async () => {
  const entry = (i: number): Entry => ({ index: logIndex(i), term: term(1), kind: 'command', data: utf8('x'.repeat(3000)) });
  for (let seed = 0; seed < 8; seed++) {
    const env = createMemoryEnv({ seed });
    const log = await openLog(env, () => {});
    await run(log, [{ hardState: undefined, entries: [entry(1)] }], seededRandom(seed), () => {});
    let failures = 0;
    env.fs.onOperation = ({ kind }) => (kind === 'sync' && failures++ === 0 ? 'io' : undefined);
    log.write({ hardState: undefined, entries: [entry(2)], onDurable: () => assert.fail('it is not durable') });
    await env.time.settle();
    await log.close();
    // What the page cache had and the disk had not is lost with the power; nobody was promised it.
    const again = await openLog(createMemoryEnv({ seed, fs: env.fs.crash('lost', seededRandom(seed)) }));
    assert.ok(again.lastIndex() >= 1, `seed ${seed}`);
  }
});

test('a log that is closed while it drops segments has done with its directory', async () => {
  const env = createMemoryEnv({ seed: 5 });
  const log = await openLog(env);
  await run(log, randomWrites(seededRandom(5), 80), seededRandom(5), () => {});
  const compacting = log.compact(logIndex(60));
  await log.close();
  env.fs.onOperation = () => assert.fail('it is closed');
  await compacting;
});
