// The history against a plain list, as records fill, are flushed, and are forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, hex, revision, seededRandom, utf8 } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { openEngine } from '@distrokv/lsm';
import { History, changesIn } from './history.ts';
import { keyspacesOf, storeKeyspaces } from './keyspaces.ts';

const SEEDS = Number(process.env['DISTROKV_TEST_SEEDS'] ?? 8);

async function openSpaces(
  seed: number,
): Promise<ReturnType<typeof keyspacesOf> & { flush: () => Promise<void>; close: () => Promise<void> }> {
  const env = createMemoryEnv({ seed });
  const engine = await openEngine({ env, directory: '/db', keyspaces: storeKeyspaces, wal: 'none', memtableBytes: 64 * 1024 });
  return { ...keyspacesOf(engine), flush: () => engine.flush(), close: () => engine.close() };
}

type Spaces = Awaited<ReturnType<typeof openSpaces>>;

/** A change as a history tells it, and as the list has it. */
const told = (at: number, key: Uint8Array): string => `${at} ${key.length} ${hex(key.subarray(0, 8))}`;

/** Short keys mostly; some that fill a record alone. */
function keyOf(random: Random): Uint8Array {
  const length = random.chance(0.02) ? random.below(20_000) : 1 + random.below(40);
  return new Uint8Array(length).fill(random.below(256));
}

/** As a change was written when each was a record of its own. */
function writeOld({ writer, changes }: Spaces, at: number, place: number, key: Uint8Array): void {
  const name = Buffer.alloc(12);
  name.writeBigUInt64BE(BigInt(at));
  name.writeUInt32BE(place, 8);
  writer.put(changes, name, key);
}

function readAll(history: History, from: number, to: number, maxCost: number): string[] {
  const seen: string[] = [];
  for (let next = from; next <= to;) {
    let cost = 0;
    let last = next;
    const before = next;
    next = history.read({ from: next, to, maxCost }, (change) => {
      assert.ok(change.revision === last || cost < maxCost, 'no revision is begun at the maximum of the cost');
      last = change.revision;
      cost++;
      seen.push(told(change.revision, change.key));
      return 1;
    });
    assert.ok(next > before, 'a read goes on');
  }
  return seen;
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`what is read is what was written, from any revision to any other (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const spaces = await openSpaces(seed);
    const history = new History(spaces);
    const all: { readonly at: number; readonly text: string }[] = [];
    // Beyond 32 bits in half of the runs.
    let at = random.chance(0.5) ? 1 : 2 ** 32 - 50;
    let forgotten = 0;
    const oldest = at + 1;
    const isOldStore = random.chance(0.5);
    for (let entry = 0; entry < 120; entry++) {
      for (let command = random.between(1, 40); command > 0; command--) {
        at++;
        for (let place = 0, n = random.chance(0.05) ? random.between(1, 300) : 1; place < n; place++) {
          const key = keyOf(random);
          if (isOldStore && entry < 30) writeOld(spaces, at, place, key);
          else history.write(revision(at), place, key, 0, key.length);
          all.push({ at, text: told(at, key) });
        }
      }
      history.endEntry();
      if (random.chance(0.05)) {
        const to = random.between(Math.max(oldest, forgotten), at + 1);
        history.forget(forgotten, to);
        forgotten = Math.max(forgotten, to);
      }
      await spaces.writer.commit();
      if (random.chance(0.05)) await spaces.flush();
      const from = random.between(Math.max(oldest, forgotten), at + 1);
      const to = random.between(from, at + 2);
      const expected = all.filter((change) => change.at >= from && change.at <= to).map(({ text }) => text);
      assert.deepEqual(readAll(history, from, to, random.between(1, 50)), expected);
    }
    await spaces.close();
  });
}

function write(history: History, at: number, key: string): void {
  const bytes = utf8(key);
  history.write(revision(at), 0, bytes, 0, bytes.length);
}

test('forgetting leaves one record at most that begins before', async () => {
  const spaces = await openSpaces(1);
  const history = new History(spaces);
  for (let entry = 0; entry < 50; entry++) {
    for (let i = 1; i <= 10; i++) write(history, entry * 10 + i, `key ${i}`);
    history.endEntry();
    await spaces.writer.commit();
  }
  const records = (): number => spaces.changes.count();
  assert.equal(records(), 50, 'an entry is a record');
  for (const [from, to, left] of [
    [0, 1, 50],
    [1, 15, 49],
    [15, 17, 49],
    [17, 21, 48],
    [21, 500, 1],
  ] as const) {
    history.forget(from, to);
    assert.equal(records(), left, `after ${to}`);
  }
  await spaces.close();
});

test('a record that does not decode is told, not guessed at', async () => {
  const spaces = await openSpaces(1);
  const history = new History(spaces);
  for (let i = 1; i <= 5; i++) write(history, 300 + i, `k${i}`);
  history.endEntry();
  const record = spaces.changes.iterator();
  assert.ok(record.next());
  const [key, value] = [Buffer.from(record.key), Buffer.from(record.value)];
  record.close();
  assert.equal(hex(key), '000000000000012d0000000001');
  assert.equal(hex(value), '00026b31' + '01026b32' + '01026b33' + '01026b34' + '01026b35');
  assert.equal([...changesIn(key, value)].length, 5);
  for (let length = 1; length < value.length; length++)
    if (length % 4 !== 0) assert.throws(() => [...changesIn(key, value.subarray(0, length))], { code: 'corrupt' });
  for (const bad of [
    key.subarray(0, 3),
    key.subarray(0, 11),
    Buffer.concat([key, key]),
    Buffer.concat([key.subarray(0, 12), Buffer.of(2)]),
  ])
    assert.throws(() => [...changesIn(bad, value)], { code: 'corrupt' });
  await spaces.close();
});
