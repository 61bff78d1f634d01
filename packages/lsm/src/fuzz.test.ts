// Mutation fuzzing of every decoder: valid bytes, damaged at random, with checksums out of the way. Each decoder returns or throws LsmError,
// soon, and never takes more memory than the bytes are worth.
import assert from 'node:assert/strict';
import { type Random, EMPTY, utf8 } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { applyGroup } from './batch.ts';
import { BlockCursor } from './block-cursor.ts';
import { Block } from './block.ts';
import { BlockBuilder } from './block-builder.ts';
import { squeeze, unsqueeze } from './codec.ts';
import { NEWEST } from './cursor.ts';
import { dumpFile } from './dump.ts';
import { LsmError } from './errors.ts';
import { KeyspaceState } from './keyspace-state.ts';
import { LogWriter, RECORD_HEADER_BYTES, readLog, salvageLog } from './log-file.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { Memtable } from './memtable.ts';
import { WAL_KIND } from './wal.ts';
import { FOOTER_BYTES, decodeFooter, decodeProperties, encodeFooter, encodeProperties } from './table-format.ts';
import { TableIndex, TableIndexBuilder } from './table-index.ts';
import { scale } from './testing/scale.ts';
import { seededTest } from './testing/seeds.ts';
import { DIRECTORY, filesOf, makeStore, replace } from './testing/store.ts';
import { decodeEdit, encodeEdit } from './version-edit.ts';

const ROUNDS = 20_000;

/** A copy of `bytes` with a few bytes changed, taken out, put in or cut off. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out = bytes.slice();
  for (let i = random.between(1, 3); i > 0; i--) {
    const at = random.below(out.length + 1);
    switch (random.below(4)) {
      case 0:
        if (at < out.length) out[at] = random.below(256);
        break;
      case 1:
        out = out.slice(0, at);
        break;
      case 2:
        out = Uint8Array.from([...out.subarray(0, at), ...random.bytes(random.between(1, 9)), ...out.subarray(at)]);
        break;
      default:
        // Extremes are where lengths overflow.
        out.fill(random.chance(0.5) ? 0xff : 0, at, at + random.between(1, 8));
    }
  }
  return out;
}

/** Throws whatever is no LsmError about the bytes. */
function survives(decode: () => void): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof LsmError && (error.code === 'corrupt' || error.code === 'newer-format'))) throw error;
  }
}

function memtable(): Memtable {
  const filled = new Memtable(1024);
  for (let i = 0; i < 40; i++) {
    const [key, value] = [utf8(`key/${i % 20}`), utf8('v'.repeat(i))];
    filled.insert(1, key, 0, key.length, 100 - i, i % 5 === 0, value, 0, value.length);
  }
  filled.publish();
  return filled;
}

function blockBytes(): Uint8Array {
  const builder = new BlockBuilder(4096);
  const cursor = new MemtableCursor(memtable());
  for (cursor.seek(EMPTY, NEWEST); cursor.valid; cursor.next()) builder.add(cursor);
  return builder.finish().slice();
}

function indexBytes(): Uint8Array {
  const builder = new TableIndexBuilder();
  for (let i = 0; i < 5; i++) builder.add(i * 100, 100, utf8(`key${i}`), i % 2 === 0 ? i : undefined);
  return builder.finish();
}

const properties = encodeProperties({
  number: 7,
  entries: 40,
  tombstones: 8,
  keyBytes: 300,
  valueBytes: 700,
  blocks: 3,
  filterLines: 1,
  smallestKey: utf8('\u0001a'),
  largestKey: utf8('\u0001b'),
  largestVersion: 3,
  shares: [{ keyspace: 1, bytes: 900, lastVersion: 12, garbageBytes: 200, garbageVersion: 9 }],
});
const footer = encodeFooter({ dataBytes: 500, indexBytes: 60, filterBytes: 20, rootBytes: 10, propertiesBytes: 20 });
const edit = encodeEdit(
  {
    keyspaces: [{ id: 1, name: 'data', versions: 'caller' }],
    dropped: [1],
    added: [{ number: 3, level: 0, run: 4, byteLength: 1000 }],
    removed: [1, 2],
    rangesAdded: [{ number: 8, start: Uint8Array.of(1, 97), end: Uint8Array.of(2), version: 9 }],
    rangesRemoved: [6],
    written: new Map([[6, 700]]),
    arrived: 900,
    walFrom: 3,
    sequence: 99,
    nextNumber: 5,
    lastVersions: new Map([[1, 7]]),
    retentions: new Map([[1, 5]]),
  },
  0,
);
/** Sequence 3; a put into keyspace 1 at version 8, a delete in keyspace 2, and a range of it. */
const group = Uint8Array.from([
  ...[3, 0, 0, 0, 0, 0, 0, 0],
  ...[2, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0x61, 0x62, 0x63],
  ...[2, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x6e, 0, 0],
  ...[3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x61, 3],
]);

/** Its codec byte, and what is squeezed. */
function squeezed(codec: 'lz4' | 'deflate'): Uint8Array {
  const { codec: byte, bytes } = squeeze(codec, utf8('fruit and more fruit, '.repeat(20)));
  assert.notEqual(byte, 0);
  return Uint8Array.from([byte, ...bytes]);
}

function unsqueezes(bytes: Uint8Array): void {
  assert.ok(unsqueeze(bytes[0] ?? 0, bytes.subarray(1), 'x', 0).length <= 300 << 20);
}

const decoders: Readonly<Record<string, readonly [bytes: Uint8Array, decode: (bytes: Uint8Array) => void]>> = {
  'a block, from both ends and by its restarts': [
    blockBytes(),
    (bytes) => {
      const block = Block.of(bytes, 'x', 0);
      const cursor = new BlockCursor();
      for (cursor.firstInBlock(block); cursor.valid; cursor.nextInBlock()) assert.ok(cursor.valueEnd <= bytes.length);
      const target = utf8('\u0001key/7');
      // By restarts, then by heads.
      for (let i = 0; i < 2; i++) {
        cursor.seekInBlock(block, target, target.length, 50);
        if (cursor.valid) assert.ok(cursor.valueEnd <= bytes.length);
      }
      cursor.lastInBlock(block);
      for (let steps = 0; cursor.valid && steps < 100; steps++) cursor.prevInBlock();
    },
  ],
  'an index': [
    indexBytes(),
    (bytes) => {
      for (const isPart of [false, true]) {
        const index = new TableIndex(bytes, 0, 500, isPart, 'x', 0);
        const child = index.find(utf8('key3'), 4, 3);
        assert.ok(child < index.count && index.count <= bytes.length);
        assert.ok(index.offset(child) + index.byteLength(child) <= 500);
      }
    },
  ],
  'what LZ4 squeezed': [squeezed('lz4'), unsqueezes],
  'what deflate squeezed': [squeezed('deflate'), unsqueezes],
  properties: [properties, (bytes) => void decodeProperties(bytes, 'x', 0)],
  'a footer': [footer, (bytes) => void decodeFooter(bytes, 'x', 610 + FOOTER_BYTES)],
  'an edit': [edit, (bytes) => void decodeEdit(bytes)],
  'a group of batches': [
    group,
    (bytes) => {
      const into = new Memtable(256);
      applyGroup(
        bytes,
        0,
        [undefined, new KeyspaceState(1, 'a', 'caller', 0, 0, {}), new KeyspaceState(2, 'b', 'latest', 0, 0, {})] as KeyspaceState[],
        into,
      );
      assert.ok(into.byteLength < 4096);
    },
  ],
};

for (const [what, [bytes, decode]] of Object.entries(decoders)) {
  seededTest(`${what} may be any bytes`, 1, (random) => {
    assert.doesNotThrow(() => decode(bytes));
    for (let i = 0; i < ROUNDS * scale; i++) survives(() => decode(mutate(bytes, random)));
  });
}

seededTest('a log may be any bytes, and what is salvaged of it was in it', 1, async (random) => {
  const env = createMemoryEnv({ seed: 1 });
  const file = await env.fs.open('/log', 'create');
  const log = await LogWriter.create(env, file, WAL_KIND, new Uint8Array(8));
  const written = new Set<string>();
  for (let i = 1; i <= 5; i++) {
    const record = new Uint8Array(RECORD_HEADER_BYTES + i * 3).fill(i);
    written.add(record.subarray(RECORD_HEADER_BYTES).join());
    log.append(record);
    await log.sync();
  }
  await log.close();
  const bytes = await env.fs.readFile('/log', 1 << 20);
  for (let i = 0; i < (ROUNDS / 4) * scale; i++) {
    const damaged = mutate(bytes, random);
    for (const read of [readLog, salvageLog])
      survives(() => read(damaged, WAL_KIND, 'x')?.records.forEach((record) => assert.ok(written.has(record.join()))));
  }
});

seededTest('a file of a store may be any bytes for who looks into it', 1, async (random) => {
  const fs = (await makeStore())();
  const env = createMemoryEnv({ seed: 1, fs });
  for (const [name, bytes] of await filesOf(fs)) {
    let pieces = 0;
    for (let i = 0; i < (ROUNDS / 40) * scale; i++) {
      await replace(fs, name, i === 0 ? bytes : mutate(bytes, random));
      try {
        for await (const { offset } of dumpFile(env, `${DIRECTORY}/${name}`)) {
          assert.ok(offset <= bytes.length * 2, name);
          pieces++;
        }
        assert.ok(i > 0 || pieces > 1, name);
      } catch (error) {
        if (!(error instanceof LsmError && (error.code === 'corrupt' || error.code === 'newer-format'))) throw error;
      }
    }
  }
});
