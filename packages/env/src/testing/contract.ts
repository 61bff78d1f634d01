// What every binding of `Env` promises, as tests. Each binding runs all of them; what only one can do has tests of its own.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import type { Env, File, FsErrorCode } from '../env.ts';
import { FsError } from '../errors.ts';

/** An environment, an empty directory in it, and how time passes there (on a real host: by itself). */
export interface World {
  readonly env: Env;
  readonly directory: string;
  readonly pass: (ms: number) => Promise<void>;
}

type MakeWorld = (t: TestContext) => Promise<World>;

export function contract(binding: string, makeWorld: MakeWorld): void {
  describe(`${binding}: files`, () => fileTests(makeWorld));
  describe(`${binding}: directories`, () => directoryTests(makeWorld));
  describe(`${binding}: locks`, () => lockTests(makeWorld));
  describe(`${binding}: time and chance`, () => timeTests(makeWorld));
}

/** Passes if `promise` rejects with an FsError of this code that names the path in one line. */
export async function rejectsWith(promise: Promise<unknown>, code: FsErrorCode, path: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof FsError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(path) && !error.message.includes('\n'), error.message);
    return true;
  });
}

async function textOf(env: Env, path: string): Promise<string> {
  return new TextDecoder().decode(await env.fs.readFile(path, 1_000));
}

async function makeFile(env: Env, path: string, text: string): Promise<void> {
  const file = await env.fs.open(path, 'create');
  await file.write(utf8(text), 0);
  await file.close();
}

function readAll(file: File, length: number, position = 0): string {
  const into = new Uint8Array(length);
  return new TextDecoder().decode(into.subarray(0, file.readSync(into, position)));
}

function fileTests(makeWorld: MakeWorld): void {
  test('what is written is read back, by both kinds of calls', async (t) => {
    const { env, directory } = await makeWorld(t);
    const file = await env.fs.open(`${directory}/a`, 'create');
    file.writeSync(utf8('hello '), 0);
    await file.write(utf8('world'), 6);
    await file.write(utf8('J'), 0);
    assert.equal(file.size(), 11);
    assert.equal(readAll(file, 11), 'Jello world');
    const into = new Uint8Array(20);
    assert.equal(await file.read(into, 6), 5, 'a read is short only at the end');
    assert.equal(await file.read(into, 11), 0);
    assert.equal(await file.read(into, 500), 0);
    await file.sync();
    await file.close();
    assert.equal(await textOf(env, `${directory}/a`), 'Jello world');
    assert.equal(await env.fs.sizeOf(`${directory}/a`), 11);
  });

  test('a read may ask for more than 2 GiB at once', async (t) => {
    const { env, directory } = await makeWorld(t);
    await makeFile(env, `${directory}/a`, 'hello');
    const file = await env.fs.open(`${directory}/a`, 'read');
    // Its pages are only as many as are touched.
    const into = new Uint8Array(2 ** 31 + 1);
    assert.deepEqual([file.readSync(into, 0), await file.read(into, 0), fromUtf8(into.subarray(0, 6))], [5, 5, 'hello\0']);
    await file.close();
  });

  test('truncate cuts the file, and what is appended then follows', async (t) => {
    const { env, directory } = await makeWorld(t);
    await makeFile(env, `${directory}/a`, 'abcdef');
    const file = await env.fs.open(`${directory}/a`, 'write');
    await file.truncate(2);
    assert.equal(file.size(), 2);
    file.writeSync(utf8('X'), 2);
    assert.equal(readAll(file, 10), 'abX');
    await file.close();
  });

  test('the modes of open', async (t) => {
    const { env, directory } = await makeWorld(t);
    const path = `${directory}/a`;
    await rejectsWith(env.fs.open(path, 'read'), 'not-found', path);
    await makeFile(env, path, 'kept');
    await rejectsWith(env.fs.open(path, 'create'), 'exists', path);
    const again = await env.fs.open(path, 'write');
    assert.equal(again.size(), 4);
    assert.equal(again.path, path);
    await again.close();
    await rejectsWith(env.fs.open(`${path}/b`, 'write'), 'not-a-directory', path);
    await rejectsWith(env.fs.open(`${directory}/none/b`, 'write'), 'not-found', 'none/b');
    await rejectsWith(env.fs.open(directory, 'read'), 'os', directory);
  });

  test('a file is opened to be read without waiting, too', async (t) => {
    const { env, directory } = await makeWorld(t);
    await makeFile(env, `${directory}/a`, 'hello');
    const file = env.fs.openSync(`${directory}/a`);
    assert.deepEqual([file.path, file.size(), readAll(file, 9, 1)], [`${directory}/a`, 5, 'ello']);
    await file.close();
    assert.throws(() => env.fs.openSync(`${directory}/missing`), { code: 'not-found' });
    assert.throws(() => env.fs.openSync(directory), { code: 'os' });
  });

  test('a closed file refuses every call', async (t) => {
    const { env, directory } = await makeWorld(t);
    const path = `${directory}/a`;
    const file = await env.fs.open(path, 'create');
    await file.close();
    for (const call of [
      async () => file.readSync(new Uint8Array(1), 0),
      () => file.read(new Uint8Array(1), 0),
      async () => file.writeSync(utf8('x'), 0),
      () => file.write(utf8('x'), 0),
      () => file.truncate(0),
      () => file.sync(),
      () => file.close(),
    ]) {
      await rejectsWith(call(), 'closed', path);
    }
  });

  test('closing waits for calls under way', async (t) => {
    const { env, directory } = await makeWorld(t);
    const file = await env.fs.open(`${directory}/a`, 'create');
    const writes = Promise.all([file.write(new Uint8Array(100_000), 0), file.sync()]);
    await Promise.all([file.close(), writes]);
    assert.equal(await env.fs.sizeOf(`${directory}/a`), 100_000);
  });

  test('a write that would leave a hole is a bug of ours', async (t) => {
    const { env, directory } = await makeWorld(t);
    const file = await env.fs.open(`${directory}/a`, 'create');
    assert.throws(() => file.writeSync(utf8('x'), 1), /no hole/);
    await assert.rejects(async () => file.write(utf8('x'), 1), /no hole/);
    await assert.rejects(async () => file.truncate(1), /only shortens/);
    await file.close();
  });

  test('readFile refuses a file larger than it can be', async (t) => {
    const { env, directory } = await makeWorld(t);
    const path = `${directory}/a`;
    await makeFile(env, path, 'four');
    assert.equal((await env.fs.readFile(path, 4)).length, 4);
    await rejectsWith(env.fs.readFile(path, 3), 'io', path);
    await rejectsWith(env.fs.readFile(`${path}2`, 3), 'not-found', `${path}2`);
  });

  test('a removed file is gone by name, and readable while it is open', async (t) => {
    const { env, directory } = await makeWorld(t);
    const path = `${directory}/a`;
    await makeFile(env, path, 'still here');
    const file = await env.fs.open(path, 'read');
    await env.fs.removeFile(path);
    assert.equal(await env.fs.sizeOf(path), undefined);
    assert.equal(readAll(file, 10), 'still here');
    await file.close();
    await rejectsWith(env.fs.removeFile(path), 'not-found', path);
  });
}

function directoryTests(makeWorld: MakeWorld): void {
  test('directories are made with their parents, listed in order, removed when empty', async (t) => {
    const { env, directory } = await makeWorld(t);
    await env.fs.makeDirectory(`${directory}/x/y`);
    await env.fs.makeDirectory(`${directory}/x/y`);
    for (const name of ['b', 'a', 'B', '10', '9']) await makeFile(env, `${directory}/x/${name}`, name);
    assert.deepEqual(await env.fs.readDirectory(`${directory}/x`), ['10', '9', 'B', 'a', 'b', 'y']);
    await env.fs.syncDirectory(`${directory}/x`);
    await rejectsWith(env.fs.removeDirectory(`${directory}/x`), 'not-empty', `${directory}/x`);
    await env.fs.removeDirectory(`${directory}/x/y`);
    await rejectsWith(env.fs.readDirectory(`${directory}/x/y`), 'not-found', 'x/y');
    await rejectsWith(env.fs.syncDirectory(`${directory}/x/y`), 'not-found', 'x/y');
    await rejectsWith(env.fs.removeDirectory(`${directory}/x/y`), 'not-found', 'x/y');
  });

  test('a file is no directory', async (t) => {
    const { env, directory } = await makeWorld(t);
    const path = `${directory}/a`;
    await makeFile(env, path, '');
    await rejectsWith(env.fs.makeDirectory(path), 'exists', path);
    await rejectsWith(env.fs.makeDirectory(`${path}/b`), 'not-a-directory', path);
    await rejectsWith(env.fs.readDirectory(path), 'not-a-directory', path);
    await rejectsWith(env.fs.removeDirectory(path), 'not-a-directory', path);
    await rejectsWith(env.fs.sizeOf(`${path}/b`), 'not-a-directory', path);
    assert.equal(await env.fs.sizeOf(directory), undefined, 'a directory has no size');
    assert.equal(await env.fs.sizeOf(`${directory}/none/b`), undefined);
  });

  test('rename replaces its target; who has the old one open still reads it', async (t) => {
    const { env, directory } = await makeWorld(t);
    await makeFile(env, `${directory}/old`, 'old');
    await makeFile(env, `${directory}/new`, 'new');
    const open = await env.fs.open(`${directory}/old`, 'read');
    await env.fs.rename(`${directory}/new`, `${directory}/old`);
    assert.deepEqual(await env.fs.readDirectory(directory), ['old']);
    assert.equal(await textOf(env, `${directory}/old`), 'new');
    assert.equal(readAll(open, 3), 'old');
    await open.close();
    await rejectsWith(env.fs.rename(`${directory}/new`, `${directory}/old`), 'not-found', `${directory}/new`);
  });

  test('a link is a second name for one file, and takes no name that is taken', async (t) => {
    const { env, directory } = await makeWorld(t);
    await makeFile(env, `${directory}/a`, 'one');
    await env.fs.link(`${directory}/a`, `${directory}/b`);
    await rejectsWith(env.fs.link(`${directory}/a`, `${directory}/b`), 'exists', `${directory}/b`);
    const file = await env.fs.open(`${directory}/a`, 'write');
    file.writeSync(utf8('two'), 0);
    await file.close();
    await env.fs.rename(`${directory}/a`, `${directory}/b`);
    assert.deepEqual(await env.fs.readDirectory(directory), ['a', 'b'], 'renaming one name of a file to the other changes nothing');
    await env.fs.removeFile(`${directory}/a`);
    assert.equal(await textOf(env, `${directory}/b`), 'two');
  });
}

function lockTests(makeWorld: MakeWorld): void {
  test('a lock is held by one until it is released', async (t) => {
    const { env, directory } = await makeWorld(t);
    const path = `${directory}/LOCK`;
    const lock = await env.fs.lock(path);
    await rejectsWith(env.fs.lock(path), 'locked', path);
    await assert.rejects(env.fs.lock(path), /is locked by process \d+/);
    assert.deepEqual(await env.fs.readDirectory(directory), ['LOCK']);
    await lock.release();
    await lock.release();
    await (await env.fs.lock(path)).release();
    await rejectsWith(env.fs.lock(`${directory}/none/LOCK`), 'not-found', 'none/LOCK');
  });

  test('of many who ask at once, no two get it', async (t) => {
    const { env, directory } = await makeWorld(t);
    const path = `${directory}/LOCK`;
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => env.fs.lock(path)));
    const taken = results.filter((result) => result.status === 'fulfilled');
    assert.ok(taken.length <= 1, `${taken.length} hold it`);
    for (const result of taken) await result.value.release();
    await (await env.fs.lock(path)).release();
  });
}

function timeTests(makeWorld: MakeWorld): void {
  test('timers run in order of time, not before it, and not when cancelled', async (t) => {
    const { env, pass } = await makeWorld(t);
    const events: string[] = [];
    const start = env.clock.monotonicMs();
    const cancelled = env.timers.after(1, () => events.push('cancelled'));
    const done = new Promise<void>((resolve) => env.timers.after(30, resolve));
    env.timers.after(15, () => events.push(env.clock.monotonicMs() - start >= 15 ? 'second' : 'too early'));
    env.timers.after(0, () => events.push('first'));
    cancelled.cancel();
    await pass(30);
    await done;
    assert.deepEqual(events, ['first', 'second']);
    cancelled.cancel();
  });

  test('a period repeats until it is cancelled, from inside too', async (t) => {
    const { env, pass } = await makeWorld(t);
    let count = 0;
    const done = new Promise<void>((resolve) => {
      const timer = env.timers.every(2, () => {
        if (++count === 3) timer.cancel();
        if (count === 3) resolve();
      });
    });
    await pass(20);
    await done;
    const later = env.timers.sleep(10);
    await pass(10);
    await later;
    assert.equal(count, 3);
  });

  test('sleep takes its time; the clock does not go back', async (t) => {
    const { env, pass } = await makeWorld(t);
    const start = env.clock.monotonicMs();
    const slept = env.timers.sleep(3);
    await pass(3);
    await slept;
    assert.ok(env.clock.monotonicMs() - start >= 3);
    assert.ok(env.clock.wallMs() > Date.UTC(2025, 0, 1));
    assert.throws(() => env.timers.after(-1, () => {}), /a delay is/);
    assert.throws(() => env.timers.after(2 ** 31, () => {}), /a delay is/);
    assert.throws(() => env.timers.every(-1, () => {}), /a period|a delay/);
  });

  test('defer and yield wait for all that can go on in this turn, and keep their order', async (t) => {
    const { env } = await makeWorld(t);
    const events: string[] = [];
    const hops = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await Promise.resolve();
      events.push('promises');
    };
    env.timers.defer(() => events.push('deferred'));
    const yielded = env.timers.yield().then(() => events.push('yielded'));
    await hops();
    await yielded;
    assert.deepEqual(events, ['promises', 'deferred', 'yielded']);
  });

  test('random numbers are numbers, and differ', async (t) => {
    const { env } = await makeWorld(t);
    const drawn = new Set(Array.from({ length: 1_000 }, () => env.random.uint32()));
    assert.ok(drawn.size > 990 && [...drawn].every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32));
    assert.equal(env.random.bytes(16).length, 16);
  });
}
