// Everything at once: one writer whose batches do not wait for each other, ingestions of the keys that it writes, keyspaces that come and go, snapshots
// and iterators that are held over all of it, checkpoints, flushes and merges, on a disk of which calls fail and take their time, until the engine is
// closed, killed or loses its power in the middle. What is read at any moment is the store after some whole units; what was acknowledged is there at the
// next opening; what was refused never shows.
import assert from 'node:assert/strict';
import { type Random, fromUtf8, seededRandom, utf8 } from '@distrokv/base';
import { type CrashMode, FsError, type MemoryEnv, type MemoryFileSystem, type OperationHook, createMemoryEnv } from '@distrokv/env';
import type { Engine, KeyIterator, RangeOptions, Snapshot, WalMode } from '../engine.ts';
import { LsmError } from '../errors.ts';
import { openEngine } from '../open.ts';
import { TableFileWriter } from '../table-file.ts';
import { drawOptions, oneOf } from './model-options.ts';
import { type Operation, type Row, assertRows, drain, keyName, keyspaces, randomOperations, textOf, writeTo } from './model.ts';
import { type BulkWrite, Story } from './storm-story.ts';

const LIVES = 4;
const STEPS = 90;
const all = [...keyspaces, { name: 'bulk', versions: 'latest' }] as const;

const failures: readonly string[] = ['no-space', 'failed', 'closed', 'io', 'too-many-files'];

/** Whether an error is one that a bad disk, or the end of the engine, excuses. */
function isExcused(error: unknown): error is LsmError | FsError {
  return (error instanceof LsmError || error instanceof FsError) && failures.includes(error.code);
}

/** Undefined if it failed for a reason that is none to worry about. */
async function attempt<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isExcused(error)) throw error;
    return undefined;
  }
}

/** What a snapshot, or an engine that rests, holds; and that each way of reading says so. */
async function assertWhole(engine: Engine, story: Story, random: Random, snapshot?: Snapshot): Promise<number> {
  const of = snapshot === undefined ? {} : { snapshot };
  const unit = Number(textOf(engine.keyspace('meta').getSync(utf8('unit'), undefined, snapshot)) ?? 0);
  const model = story.modelAfter(unit);
  for (const name of ['data', 'meta']) {
    const keyspace = engine.keyspace(name);
    const ats = name === 'data' && story.retention <= unit ? [undefined, random.between(story.retention, unit)] : [undefined];
    for (const at of ats) {
      const range: RangeOptions = { reverse: random.chance(0.5), ...(at === undefined ? {} : { at }), ...of };
      const rows = model.rows(name, range);
      const what = `${name} at ${at}, unit ${unit}`;
      assertRows(drain(keyspace.iterator(range)), rows, what);
      assert.equal(keyspace.count(range), rows.length, what);
      const keys = [...model.keysOf(name), 'none'];
      const many = await keyspace.getMany(
        keys.map((key) => utf8(key)),
        at,
        snapshot,
      );
      for (const [i, key] of keys.entries()) assert.equal(textOf(many[i]), model.get(name, key, at), `${what}, ${key}`);
    }
  }
  if (story.retention > 0)
    assert.throws(() => engine.keyspace('data').getSync(utf8('k/3'), story.retention - 1, snapshot), { code: 'compacted' });
  return unit;
}

/** A snapshot, and what it showed at first. */
class Held {
  readonly snapshot: Snapshot;
  readonly #engine: Engine;
  readonly #bulk: readonly Row[];
  readonly #unit: string | undefined;
  readonly #iterator: KeyIterator;
  readonly #rows: readonly Row[];
  #at = 0;
  /** A step that failed ends it. */
  #isBroken = false;

  constructor(engine: Engine, random: Random) {
    this.#engine = engine;
    this.snapshot = engine.snapshot();
    const { snapshot } = this;
    this.#unit = textOf(engine.keyspace('meta').getSync(utf8('unit'), undefined, snapshot));
    this.#bulk = drain(engine.keyspace('bulk').iterator({ snapshot }));
    // One of a keyspace that may be dropped meanwhile.
    const keyspace = oneOf(random, engine.keyspaces());
    this.#rows = drain(keyspace.iterator({ snapshot }));
    this.#iterator = keyspace.iterator({ snapshot });
  }

  async check(story: Story, random: Random): Promise<void> {
    const unit = await assertWhole(this.#engine, story, random, this.snapshot);
    assert.equal(String(unit), this.#unit ?? '0', 'a snapshot stays');
    assertRows(drain(this.#engine.keyspace('bulk').iterator({ snapshot: this.snapshot })), this.#bulk, 'bulk');
  }

  /** A few steps of the iterator. */
  step(count: number): void {
    for (let i = 0; i < count && !this.#isBroken; i++) {
      this.#isBroken = true;
      const isThere = this.#iterator.next();
      this.#isBroken = false;
      assert.deepEqual(isThere ? [fromUtf8(this.#iterator.key), fromUtf8(this.#iterator.value)] : undefined, this.#rows[this.#at]);
      if (isThere) this.#at++;
    }
  }

  close(): void {
    this.#iterator.close();
    this.snapshot.close();
  }
}

/** The disk of a bad hour: calls fail now and then, it is full for a while, or (which ends an engine) cannot be read or fails to sync; until it stops. */
function badDisk(random: Random, stopsAt = Infinity): OperationHook {
  const chance = oneOf(random, [0, 0.02, 0.1]);
  const [isUnreadable, isFailing] = [random.chance(0.15), random.chance(0.05)];
  let isFull = false;
  return ({ kind, mutation = -1 }) => {
    if (mutation >= stopsAt) return 'crash';
    if (random.chance(chance / 4)) isFull = !isFull;
    if (isFull && (kind === 'write' || kind === 'link')) return 'no-space';
    if (!random.chance(chance)) return undefined;
    if (kind === 'open') return 'too-many-files';
    if (kind === 'read') return isUnreadable ? 'io' : undefined;
    if (kind === 'sync') return isFailing ? 'io' : undefined;
    return kind === 'write' || kind === 'makeDirectory' || kind === 'rename' ? 'no-space' : undefined;
  };
}

/** A checkpoint, and how many units it may have. */
interface Copy {
  readonly directory: string;
  readonly from: number;
  readonly to: number;
}

class Storm {
  readonly #env: MemoryEnv;
  readonly #engine: Engine;
  readonly #wal: WalMode;
  readonly #story: Story;
  readonly #random: Random;
  readonly #held: Held[] = [];
  /** What was begun and is not over. */
  readonly #pending = new Set<Promise<unknown>>();
  readonly #wrong: unknown[] = [];
  readonly #copies: Copy[] = [];
  #isMoving = false;
  /** A writer without a log is to wait. */
  #isHeldUp = false;

  constructor(env: MemoryEnv, engine: Engine, wal: WalMode, story: Story, random: Random) {
    this.#env = env;
    this.#engine = engine;
    this.#wal = wal;
    this.#story = story;
    this.#random = random;
  }

  #begin(work: () => unknown): void {
    const done = attempt(work).catch((error: unknown) => this.#wrong.push(error));
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
  }

  #write(): void {
    const story = this.#story;
    const version = story.issued + 1;
    const operations = [
      ...randomOperations(this.#random, version, 60),
      { keyspace: 'meta', key: 'unit', value: String(version), version: undefined },
    ];
    const bulk: BulkWrite = { key: keyName(this.#random), value: `unit ${version}`, begun: story.now++, ended: Infinity, isKept: false };
    const withBulk: Operation[] = [...operations, { keyspace: 'bulk', key: bulk.key, value: bulk.value, version: undefined }];
    if (this.#wal === 'none') {
      if (this.#isHeldUp) return;
      const writer = this.#engine.unlogged();
      try {
        writeTo(writer, this.#engine, withBulk);
      } catch (error) {
        if (!isExcused(error)) throw error;
        return;
      }
      story.add(operations);
      story.bulk.push({ ...bulk, ended: story.now++ });
      story.acknowledged = version;
      const heldUp = writer.commit();
      if (heldUp === undefined) return;
      this.#isHeldUp = true;
      this.#begin(() => heldUp.finally(() => (this.#isHeldUp = false)));
      return;
    }
    const unit = story.add(operations);
    story.bulk.push(bulk);
    const batch = this.#engine.batch();
    writeTo(batch, this.#engine, withBulk);
    this.#begin(async () => {
      try {
        await this.#engine.write(batch);
        bulk.ended = story.now++;
        story.acknowledged = Math.max(story.acknowledged, version);
        if (this.#wal !== 'sync') return;
        bulk.isKept = true;
        story.promised = Math.max(story.promised, version);
      } catch (error) {
        if (!(error instanceof LsmError) || error.code !== 'no-space') throw error;
        unit.isRefused = true;
        story.bulk.splice(story.bulk.indexOf(bulk), 1);
      }
    });
  }

  async #ingest(): Promise<void> {
    const story = this.#story;
    const path = `/in/${String(++story.files).padStart(6, '0')}.sst`;
    await this.#env.fs.makeDirectory('/in');
    const keys = [...new Set(Array.from({ length: this.#random.between(1, 9) }, () => keyName(this.#random)))].sort();
    const value = `file ${story.now++}`;
    const writer = await TableFileWriter.create({ env: this.#env, path, blockBytes: 64 });
    try {
      for (const key of keys) void writer.put(utf8(key), utf8(value));
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    const begun = story.now++;
    const writes = keys.map((key): BulkWrite => ({ key, value, begun, ended: Infinity, isKept: false }));
    story.bulk.push(...writes);
    try {
      await this.#engine.ingest(this.#engine.keyspace('bulk'), [path]);
    } catch (error) {
      // Then nothing was ingested; where the disk or the engine came to its end, nobody knows.
      if (isExcused(error) && error.code !== 'closed' && error.code !== 'failed')
        for (const write of writes) story.bulk.splice(story.bulk.indexOf(write), 1);
      throw error;
    }
    const ended = story.now++;
    for (const write of writes) Object.assign(write, { ended, isKept: true });
  }

  async #createOrDrop(): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    try {
      const there = this.#engine.keyspaces().find(({ name }) => name === 'temp');
      if (there !== undefined) return await this.#engine.dropKeyspace('temp');
      const temp = await this.#engine.createKeyspace({ name: 'temp', versions: 'latest' });
      assert.deepEqual(drain(temp.iterator()), [], 'nothing of its predecessor');
      if (this.#wal === 'none') return;
      const batch = this.#engine.batch();
      for (let i = 0; i < 20; i++) batch.put(temp, utf8(`t${i}`), utf8(String(this.#story.now)));
      await this.#engine.write(batch);
    } finally {
      this.#isMoving = false;
    }
  }

  async #checkpoint(): Promise<void> {
    const { acknowledged } = this.#story;
    const directory = `/copy${this.#story.now++}`;
    await this.#engine.checkpoint(directory);
    this.#copies.push({ directory, from: acknowledged, to: this.#story.issued });
  }

  /** It is a store as it was. */
  async #checkCopy({ directory, from, to }: Copy): Promise<void> {
    const copy = await openEngine({ env: this.#env, keyspaces: all, wal: 'sync', ...drawOptions(this.#random), directory });
    copy.keyspace('data').setRetention(this.#story.retention);
    const unit = await assertWhole(copy, this.#story, this.#random);
    assert.ok(unit >= from && unit <= to, `the copy has ${unit} units, not ${from} to ${to}`);
    await copy.close();
    for (const name of await this.#env.fs.readDirectory(directory)) await this.#env.fs.removeFile(`${directory}/${name}`);
  }

  #raise(): void {
    const story = this.#story;
    story.retention = this.#random.between(story.retention, Math.max(story.retention, story.promised));
    this.#engine.keyspace('data').setRetention(story.retention);
  }

  /** A random one of what there is to do. */
  #step(): void {
    const random = this.#random;
    this.#write();
    if (random.chance(0.05)) this.#begin(() => this.#ingest());
    if (random.chance(0.05)) this.#begin(() => this.#createOrDrop());
    if (random.chance(0.03)) this.#begin(() => this.#checkpoint());
    if (random.chance(0.05)) this.#begin(() => this.#flush());
    if (random.chance(0.03)) this.#begin(() => this.#engine.settle());
    if (random.chance(0.02)) this.#begin(() => this.#engine.verify());
    if (random.chance(0.03)) this.#begin(() => this.#raise());
    if (random.chance(0.05)) this.#begin(() => void this.#held.push(new Held(this.#engine, random)));
    const held = this.#held[random.below(Math.max(1, this.#held.length))];
    if (held !== undefined) this.#begin(() => held.step(random.below(6)));
    const key = utf8(keyName(random));
    this.#begin(() => this.#engine.keyspace('bulk').get(key));
  }

  /** What is acknowledged by now is kept when this resolves. */
  async #flush(): Promise<void> {
    const { acknowledged, now } = this.#story;
    await this.#engine.flush();
    this.#story.keep(acknowledged, now);
  }

  /** Storms for a while. */
  async run(hook: OperationHook): Promise<void> {
    const { fs, time } = this.#env;
    const random = this.#random;
    fs.onOperation = hook;
    for (let step = 0; step < STEPS; step++) {
      this.#step();
      for (let turns = random.below(6); turns > 0; turns--) await this.#env.timers.yield();
      if (random.chance(0.1)) await time.advance(random.below(500));
    }
  }

  /** The disk is well again, all comes to rest, and everything is looked at. */
  async rest(): Promise<void> {
    this.#env.fs.onOperation = undefined;
    await this.#settle();
    for (const copy of this.#copies.splice(0)) await this.#checkCopy(copy);
    for (const held of this.#held) await held.check(this.#story, this.#random);
    while (this.#held.length > 3) this.#held.shift()?.close();
    await assertWhole(this.#engine, this.#story, this.#random);
    assertBulk(this.#engine, this.#story, false);
    // An engine that has failed verifies nothing.
    assert.deepEqual((await attempt(() => this.#engine.verify()))?.faults ?? [], []);
  }

  async #settle(isOver = (): boolean => true): Promise<void> {
    for (let passedMs = 0; this.#pending.size > 0 || !isOver(); passedMs += 100) {
      assert.ok(passedMs < 600_000, 'something never ends');
      await this.#env.time.advance(100);
    }
    if (this.#wrong.length > 0) throw this.#wrong[0];
  }

  /** Ends this life, in the middle of whatever goes on. Resolves to the disk that the next one finds. */
  async end(how: End): Promise<MemoryFileSystem> {
    const { fs } = this.#env;
    if (how === 'close') fs.onOperation = undefined;
    const next = how === 'close' ? fs : how === 'kill' ? fs.kill() : fs.crash(oneOf(this.#random, crashModes), this.#random);
    let isClosed = false;
    this.#begin(() => this.#engine.close().finally(() => (isClosed = true)));
    await this.#settle(() => isClosed);
    if (how !== 'crash' && this.#wal === 'nosync') this.#story.keep();
    return next;
  }
}

const crashModes: readonly CrashMode[] = ['lost', 'kept', 'torn', 'reordered'];
type End = 'close' | 'kill' | 'crash';

function assertBulk(engine: Engine, story: Story, isCrashed: boolean): void {
  const bulk = engine.keyspace('bulk');
  for (const key of new Set(story.bulk.map((write) => write.key))) {
    const value = textOf(bulk.getSync(utf8(key)));
    const possible = story.possible(key, isCrashed);
    assert.ok(possible.has(value), `bulk/${key} is ${value}, not one of ${[...possible].join()}`);
  }
}

/** Calls take up to some turns. */
function slowDisk(env: MemoryEnv, random: Random): void {
  const turns = random.below(4);
  env.fs.delayBy(async () => {
    for (let i = random.below(turns + 1); i >= 0; i--) await env.timers.yield();
  });
}

export async function run(seed: number): Promise<number> {
  const random = seededRandom(seed);
  const wal = oneOf(random, ['sync', 'nosync', 'none'] as const);
  const story = new Story();
  let env = createMemoryEnv({ seed });
  for (let life = 0; life < LIVES; life++) {
    const engine = await openEngine({ env, directory: '/db', keyspaces: all, wal, ...drawOptions(random) });
    engine.keyspace('data').setRetention(story.retention);
    const unit = await assertWhole(engine, story, random);
    assert.ok(
      unit >= story.promised && unit <= story.issued,
      `${unit} units are there, ${story.promised} to ${story.issued} were promised`,
    );
    assertBulk(engine, story, true);
    story.begin(engine, unit);
    slowDisk(env, random);
    const storm = new Storm(env, engine, wal, story, random);
    for (let weather = random.between(0, 2); weather > 0; weather--) {
      await storm.run(badDisk(random));
      await storm.rest();
    }
    const how = oneOf(random, ['close', 'kill', 'crash'] as const);
    await storm.run(badDisk(random, how === 'crash' ? env.fs.mutations + random.below(600) : Infinity));
    const fs = await storm.end(how);
    env = createMemoryEnv({ seed: seed + life, fs });
  }
  return story.issued;
}
