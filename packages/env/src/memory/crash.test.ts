// The memory file system's crashes: what was synced is always there, what was not may be gone, in part or whole.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Random, seededRandom, utf8 } from '@distrokv/base';
import type { FsErrorCode } from '../env.ts';
import { rejectsWith } from '../testing/contract.ts';
import type { CrashMode } from './crash.ts';
import { MemoryFileSystem } from './file-system.ts';

const modes: readonly CrashMode[] = ['lost', 'kept', 'torn', 'reordered'];

async function append(fs: MemoryFileSystem, path: string, text: string, sync: boolean): Promise<void> {
  const file = await fs.open(path, 'write');
  file.writeSync(utf8(text), file.size());
  if (sync) await file.sync();
  await file.close();
}

async function read(fs: MemoryFileSystem, path: string): Promise<string | undefined> {
  if ((await fs.sizeOf(path)) === undefined) return undefined;
  return new TextDecoder().decode(await fs.readFile(path, 1_000_000));
}

/** The different things that `look` finds in 200 crashes of the world that `make` builds. */
async function outcomes(
  mode: CrashMode,
  make: () => Promise<MemoryFileSystem>,
  look: (fs: MemoryFileSystem) => Promise<unknown>,
): Promise<Set<string>> {
  const seen = new Set<string>();
  const fs = await make();
  const random = seededRandom(7);
  for (let i = 0; i < 200; i++) seen.add(JSON.stringify(await look(fs.crash(mode, random))));
  return seen;
}

describe('contents', () => {
  const synced = 'synced.';
  const make = async (): Promise<MemoryFileSystem> => {
    const fs = new MemoryFileSystem();
    await append(fs, 'f', synced, true);
    await fs.syncDirectory('/');
    await append(fs, 'f', 'tail', false);
    return fs;
  };

  test('lost and kept are the two ends', async () => {
    assert.deepEqual(await outcomes('lost', make, (fs) => read(fs, 'f')), new Set(['"synced."']));
    assert.deepEqual(await outcomes('kept', make, (fs) => read(fs, 'f')), new Set(['"synced.tail"']));
  });

  test('torn leaves every prefix of the tail, and zeros or garbage for the rest', async () => {
    const seen = await outcomes('torn', make, (fs) => read(fs, 'f'));
    for (const tail of ['', 't', 'ta', 'tai', 'tail', '\0\0\0\0', 'ta\0\0'])
      assert.ok(seen.has(JSON.stringify(synced + tail)), `${tail} of ${[...seen].join()}`);
    for (const found of seen) assert.ok(found.startsWith('"synced.'), found);
    assert.ok(seen.size > 20, 'garbage differs each time');
  });

  test('reordered keeps or loses each sector of its own, and the size may have grown without them', async () => {
    const sectors = async (): Promise<MemoryFileSystem> => {
      const fs = new MemoryFileSystem();
      await append(fs, 'f', synced, true);
      await fs.syncDirectory('/');
      await append(fs, 'f', 'a'.repeat(512 - synced.length) + 'b'.repeat(512) + 'c'.repeat(100), false);
      return fs;
    };
    const shape = async (fs: MemoryFileSystem): Promise<string> => {
      const text = (await read(fs, 'f')) ?? '';
      return `${text.length}:${[7, 512, 1024].map((at) => (text[at] ?? '-').replace('\0', '0')).join('')}`;
    };
    const expected = [
      '7:---',
      '512:a--',
      '1024:0b-',
      '1024:ab-',
      '1124:000',
      '1124:00c',
      '1124:0b0',
      '1124:0bc',
      '1124:a00',
      '1124:a0c',
      '1124:ab0',
      '1124:abc',
    ];
    assert.deepEqual(
      new Set([...(await outcomes('reordered', sectors, shape))].sort()),
      new Set(expected.map((each) => JSON.stringify(each)).sort()),
    );
  });

  test('a sync covers what was written before it was asked for, not what came while it ran', async () => {
    const fs = new MemoryFileSystem();
    const file = await fs.open('f', 'create');
    await fs.syncDirectory('/');
    file.writeSync(utf8('a'), 0);
    const sync = file.sync();
    file.writeSync(utf8('b'), 1);
    await sync;
    assert.equal(await read(fs.crash('lost', seededRandom(1)), 'f'), 'a');
  });

  test('after a failed sync no later one saves what the first should have', async () => {
    const ends = new Set<string | undefined>();
    for (let seed = 0; seed < 50; seed++) {
      const fs = new MemoryFileSystem({ random: seededRandom(seed) });
      const file = await fs.open('f', 'create');
      await fs.syncDirectory('/');
      file.writeSync(utf8('a'), 0);
      fs.onOperation = (operation) => (operation.kind === 'sync' ? 'io' : undefined);
      await rejectsWith(file.sync(), 'io', 'f');
      fs.onOperation = undefined;
      await file.sync();
      assert.equal(await read(fs, 'f'), 'a', 'it can still be read');
      ends.add(await read(fs.crash('kept', seededRandom(seed)), 'f'));
    }
    assert.deepEqual(ends, new Set(['', '\0', 'a']));
  });
});

describe('entries', () => {
  test('a new file is there only after its directory is synced, whatever was synced inside it', async () => {
    const make = async (): Promise<MemoryFileSystem> => {
      const fs = new MemoryFileSystem();
      await fs.makeDirectory('d');
      await fs.syncDirectory('/');
      await append(fs, 'd/f', 'x', true);
      return fs;
    };
    assert.deepEqual(await outcomes('lost', make, (fs) => fs.readDirectory('d')), new Set(['[]']));
    assert.deepEqual(await outcomes('reordered', make, (fs) => fs.readDirectory('d')), new Set(['[]', '["f"]']));
    const synced = async (): Promise<MemoryFileSystem> => {
      const fs = await make();
      await fs.syncDirectory('d');
      return fs;
    };
    for (const mode of modes) assert.deepEqual(await outcomes(mode, synced, (fs) => read(fs, 'd/f')), new Set(['"x"']), mode);
  });

  test('a rename in one directory happened or did not: the target is the old file or the new one', async () => {
    const make = async (): Promise<MemoryFileSystem> => {
      const fs = new MemoryFileSystem();
      await append(fs, 'f', 'old', true);
      await append(fs, 'tmp', 'new', true);
      await fs.syncDirectory('/');
      await fs.rename('tmp', 'f');
      return fs;
    };
    const look = async (fs: MemoryFileSystem): Promise<unknown> => [await fs.readDirectory('/'), await read(fs, 'f')];
    const [before, after] = ['[["f","tmp"],"old"]', '[["f"],"new"]'];
    for (const mode of ['torn', 'reordered'] as const) assert.deepEqual(await outcomes(mode, make, look), new Set([before, after]), mode);
  });

  test('a removal that was not synced may be undone, contents and all', async () => {
    const make = async (): Promise<MemoryFileSystem> => {
      const fs = new MemoryFileSystem();
      await append(fs, 'f', 'x', true);
      await fs.link('f', 'g');
      await fs.syncDirectory('/');
      await fs.removeFile('f');
      return fs;
    };
    assert.deepEqual(
      await outcomes('reordered', make, (fs) => read(fs, 'f')),
      new Set(['x', undefined].map((each) => JSON.stringify(each))),
    );
    const image = (await make()).crash('lost', seededRandom(1));
    await append(image, 'f', 'y', false);
    assert.equal(await read(image, 'g'), 'xy', 'two names of one file stay that');
  });
});

describe('faults', () => {
  test('after a crash the old instance refuses every call, and the image is a disk of its own', async () => {
    const fs = new MemoryFileSystem();
    const file = await fs.open('f', 'create');
    const image = fs.crash('kept', seededRandom(1));
    assert.throws(() => file.writeSync(utf8('x'), 0), { code: 'closed' });
    assert.throws(() => file.readSync(new Uint8Array(1), 0), { code: 'closed' });
    for (const call of [file.sync(), fs.open('g', 'create'), fs.readDirectory('/'), fs.lock('/LOCK')])
      await rejectsWith(call, 'closed', '');
    await append(image, 'f', 'alive', true);
    assert.equal(await read(image, 'f'), 'alive');
    await image.lock('/LOCK');
    await image.crash('lost', seededRandom(1)).lock('/LOCK');
  });

  test('every call can be made to fail, and the n-th change can be the last', async () => {
    const workload = async (fs: MemoryFileSystem): Promise<void> => {
      await fs.makeDirectory('d');
      await append(fs, 'd/a', 'text', true);
      await fs.rename('d/a', 'd/b');
      await fs.link('d/b', 'd/c');
      await fs.syncDirectory('d');
      await read(fs, 'd/c');
      await fs.readDirectory('d');
      await fs.removeFile('d/c');
    };
    const clean = new MemoryFileSystem();
    let calls = 0;
    clean.onOperation = () => void calls++;
    await workload(clean);
    assert.equal(calls, 12);
    assert.equal(clean.mutations, 8);
    for (let n = 0; n < calls; n++) {
      for (const code of ['io', 'no-space', 'too-many-files'] satisfies FsErrorCode[]) {
        const fs = new MemoryFileSystem({ onOperation: ({ index }) => (index === n ? code : undefined) });
        await rejectsWith(workload(fs), code, '');
      }
    }
    for (let n = 0; n < clean.mutations; n++) {
      const fs = new MemoryFileSystem({ onOperation: ({ mutation }) => (mutation === n ? 'crash' : undefined) });
      await rejectsWith(workload(fs), 'closed', '');
      await rejectsWith(fs.readDirectory('/'), 'closed', '/');
    }
  });

  test('a write that fails may have written a part', async () => {
    const sizes = new Set<number | undefined>();
    for (let seed = 0; seed < 40; seed++) {
      const fs = new MemoryFileSystem({ random: seededRandom(seed), onOperation: ({ kind }) => (kind === 'write' ? 'io' : undefined) });
      await rejectsWith(append(fs, 'f', 'abc', false), 'io', 'f');
      sizes.add(await fs.sizeOf('f'));
    }
    assert.deepEqual(sizes, new Set([0, 1, 2, 3]));
  });

  test('a full disk takes what fits, and has room again when files go', async () => {
    const fs = new MemoryFileSystem({ capacityBytes: 10 });
    await append(fs, 'a', '123456', true);
    await rejectsWith(append(fs, 'b', '123456', true), 'no-space', 'b');
    assert.equal(await fs.sizeOf('b'), 4);
    const open = await fs.open('a', 'read');
    await fs.removeFile('a');
    await rejectsWith(append(fs, 'b', '5', true), 'no-space', 'b');
    await open.close();
    await append(fs, 'b', '567890', true);
    assert.equal(await read(fs, 'b'), '1234567890');
    await rejectsWith(append(fs.crash('kept', seededRandom(1)), 'c', 'x', true), 'no-space', 'c');
  });

  test('dump shows what a crash could take', async () => {
    const fs = new MemoryFileSystem();
    await fs.makeDirectory('d');
    await fs.syncDirectory('/');
    await append(fs, 'd/f', 'abc', false);
    assert.equal(
      fs.dump(),
      ['/d/: 1 entries, 0 durable, 1 changes unsynced', '/d/f: 3 bytes, 0 durable, 1 changes unsynced, entry unsynced'].join('\n'),
    );
  });
});

/** Random work on a few files; `durable` is the least that must be left of it. */
async function randomWork(fs: MemoryFileSystem, random: Random): Promise<Map<string, string>> {
  const [written, durable, synced] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
  for (let i = random.between(1, 25); i > 0; i--) {
    const path = `f${random.below(3)}`;
    if (random.chance(0.3)) {
      await fs.syncDirectory('/');
      for (const name of written.keys()) durable.set(name, synced.get(name) ?? '');
      continue;
    }
    const [text, sync] = [`<${i}>`.repeat(random.between(1, 400)), random.chance(0.4)];
    await append(fs, path, text, sync);
    written.set(path, (written.get(path) ?? '') + text);
    if (sync) synced.set(path, written.get(path) ?? '');
    if (sync && durable.has(path)) durable.set(path, written.get(path) ?? '');
  }
  return durable;
}

test('whatever was written and synced at random, no crash takes what was synced, and equal seeds crash alike', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const mode = modes[seed % modes.length] as CrashMode;
    const images: string[][] = [];
    for (const _ of [1, 2]) {
      const random = seededRandom(seed);
      const fs = new MemoryFileSystem({ random });
      const durable = await randomWork(fs, random);
      const image = fs.crash(mode, random);
      for (const [path, text] of durable)
        assert.ok((await read(image, path))?.startsWith(text), `seed ${seed}, ${mode}: ${path}\n${fs.dump()}`);
      images.push(await Promise.all((await image.readDirectory('/')).map(async (name) => `${name}=${await read(image, name)}`)));
    }
    assert.deepEqual(images[0], images[1], `seed ${seed}`);
  }
});

test('a killed process leaves a page cache: the next one finds what was not synced, and the next crash may take it', async () => {
  const fs = new MemoryFileSystem();
  await append(fs, 'f', 'a', true);
  await fs.syncDirectory('/');
  await append(fs, 'f', 'b', false);
  await append(fs, 'g', 'x', true);
  const next = fs.kill();
  await assert.rejects(fs.sizeOf('/f'), { code: 'closed' });
  assert.equal(await read(next, 'f'), 'ab');
  assert.equal(await read(next, 'g'), 'x');
  const image = next.crash('lost', seededRandom(1));
  assert.equal(await read(image, 'f'), 'a');
  assert.equal(await read(image, 'g'), undefined, 'its name was not synced');
});
