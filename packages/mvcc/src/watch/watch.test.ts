import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, logIndex, seededRandom, term, utf8 } from '@distrokv/base';
import { type KeyRange, isEmptyRange, isInRange, keyRange } from '../key-range.ts';
import { StoreFixture } from '../testing/fixture.ts';
import { compare, del, put, txn } from '../testing/requests.ts';
import { RecordingSink, SharedSink, checkHistory, showEvent, watch } from '../testing/watching.ts';
import { RangeIndex } from './range-index.ts';
import type { WatchOptions, Watcher } from './watcher.ts';

const key = (text: string, end = ''): KeyRange => keyRange(utf8(text), utf8(end));
const SEEDS = Number(process.env['DISTROKV_TEST_SEEDS'] ?? 12);

function catchUp(f: StoreFixture): void {
  while (f.store.watches.step());
}

test('a watcher sees what happens from now on: its keys, in one response for each entry', async () => {
  const f = await StoreFixture.open();
  await f.put(put('a', 'old'));
  const one = new RecordingSink(f.store.watches);
  const range = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(key('a'), { prevKv: true }), one);
  const watcher = f.store.watches.create(watch(key('a', 'c')), range);
  await f.put(put('a', 'new'));
  await f.txn(txn([compare('a', 'version', '=', 2)], [put('b', '1'), del('a'), put('x', '1')]));
  await f.put(put('c', '1'));
  assert.deepEqual(one.all.map(showEvent), ['3 put a=new (old)', '4 delete a (new)']);
  assert.deepEqual(
    range.responses.map((r) => r.events.map(showEvent)),
    [['3 put a=new'], ['4 put b=1', '4 delete a']],
  );
  f.store.watches.remove(watcher);
  await f.put(put('a', 'again'));
  assert.equal(range.responses.length, 2);
});

test('who begins to watch in the middle of an entry gets all of it, and of one that compacts what it did, too', async () => {
  const f = await StoreFixture.open();
  await f.put(put('a', '0')); // 2
  const [late, early] = [new RecordingSink(f.store.watches), new RecordingSink(f.store.watches)];
  f.store.apply({ kind: 'put', request: put('a', '1') });
  f.store.apply({ kind: 'put', request: put('b', '1') });
  const watcher = f.store.watches.create(watch(key('a', 'c')), late);
  f.store.apply({ kind: 'compact', request: { revision: 4, physical: false } });
  f.store.apply({ kind: 'put', request: put('b', '2') });
  await f.store.commit(logIndex(2), term(1));
  assert.deepEqual(
    late.responses.map((r) => r.events.map(showEvent)),
    [['3 put a=1', '4 put b=1', '5 put b=2']],
  );
  f.store.watches.remove(watcher);
  f.store.watches.create(watch(key('b')), early);
  f.store.apply({ kind: 'put', request: put('b', '3') });
  f.store.watches.create(watch(key('b')), late);
  f.store.apply({ kind: 'delete-range', request: del('b') });
  await f.store.commit(logIndex(3), term(1));
  for (const sink of [early, late]) assert.deepEqual(sink.responses.at(-1)?.events.map(showEvent), ['6 put b=3', '7 delete b']);
});

test('from the past; from the future; filters', async () => {
  const f = await StoreFixture.open();
  for (const value of ['1', '2', '3']) await f.put(put('a', value)); // 2 to 4
  await f.del(del('a')); // 5
  const sinks = [{ startRevision: 3 }, { startRevision: 7 }, { startRevision: 2, noPut: true }, { startRevision: 4, noDelete: true }].map(
    (fields) => {
      const sink = new RecordingSink(f.store.watches);
      f.store.watches.create(watch(key('a'), fields), sink);
      return sink;
    },
  );
  catchUp(f);
  for (const value of ['6', '7', '8']) await f.put(put('a', value));
  assert.deepEqual(
    sinks.map((sink) => sink.all.map((event) => event.kv?.modRevision)),
    [[3, 4, 5, 6, 7, 8], [7, 8], [5], [4, 6, 7, 8]],
  );
  assert.equal(sinks[0]?.responses[0]?.revision, 5, 'the header of what is caught up names the store, not the event');
});

test('reliability 34: a watcher of the future gets nothing old, and makes no progress before it begins (etcd #20221)', async () => {
  const f = await StoreFixture.open();
  const sink = new RecordingSink(f.store.watches);
  const watcher = f.store.watches.create(watch(key('a'), { startRevision: 4 }), sink);
  await f.put(put('a', '2'));
  assert.equal(f.store.watches.isCurrent(watcher), false);
  await f.put(put('a', '3'));
  await f.put(put('a', '4'));
  assert.equal(f.store.watches.isCurrent(watcher), true);
  assert.deepEqual(sink.all.map(showEvent), ['4 put a=4']);
});

test('reliability 31: a starved watcher loses nothing, and costs the others nothing (etcd #17529)', async () => {
  const f = await StoreFixture.open();
  const [slow, quick] = [new RecordingSink(f.store.watches), new RecordingSink(f.store.watches)];
  const watcher = f.store.watches.create(watch(key('k', 'l')), slow);
  f.store.watches.create(watch(key('k', 'l')), quick);
  slow.hasRoom = false;
  for (let i = 0; i < 3000; i++) await f.put(put(`k${i % 7}`, String(i)));
  assert.equal(quick.all.length, 3000);
  assert.equal(f.store.watches.isCurrent(watcher), false);
  slow.makeRoom();
  catchUp(f);
  assert.ok(f.store.watches.isCurrent(watcher));
  assert.deepEqual(slow.all.map(showEvent), quick.all.map(showEvent));
  assert.ok(slow.responses.length >= 3 && slow.responses.length < 10, 'in slices');
});

test('a crowd is given an event in several goes, all of it the same bytes; who begins later is left out', async () => {
  const f = await StoreFixture.open();
  const sinks = Array.from({ length: 25_000 }, () => new RecordingSink(f.store.watches));
  for (const sink of sinks) f.store.watches.create(watch(key('k', 'l')), sink);
  const later = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(key('k', 'l'), { startRevision: 3 }), later);
  const served = (): number => sinks.filter(({ responses }) => responses.length > 0).length;
  await f.put(put('k1', 'v'));
  assert.ok(served() > 0 && served() <= 10_000, `at once: ${served()}`);
  for (let before = served(); f.store.watches.step(); before = served()) assert.ok(served() - before <= 10_000, 'in a slice');
  assert.equal(served(), sinks.length);
  await f.put(put('k2', 'v'));
  catchUp(f);
  for (const sink of sinks) assert.deepEqual(sink.all.map(showEvent), ['2 put k1=v', '3 put k2=v']);
  assert.deepEqual(later.all.map(showEvent), ['3 put k2=v']);
  const first = sinks.slice(0, 100).map(({ batches }) => batches[0]?.encoded);
  assert.ok(first.every((bytes) => bytes === first[0]));
});

/** Random commands, and watchers of every kind whose sinks have room now and then. */
async function play(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const f = await StoreFixture.open(seed);
  const everything: { readonly revision: number; readonly text: string; readonly key: string; readonly isDelete: boolean }[] = [];
  const all = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(keyRange(Uint8Array.of(0), Uint8Array.of(0))), all);
  const watchers: { options: WatchOptions; sink: RecordingSink; watcher: Watcher; from: number; removedAt?: number }[] = [];
  for (let i = 0; i < 300; i++) {
    await write(f, random);
    if (random.chance(0.2)) {
      const options = randomWatch(random, f);
      const sink = new RecordingSink(f.store.watches);
      const from = options.startRevision > 0 ? options.startRevision : f.store.state.revision + 1;
      watchers.push({ options, sink, watcher: f.store.watches.create(options, sink), from });
    }
    for (const { sink } of watchers) {
      if (random.chance(0.05)) sink.hasRoom = false;
      else if (!sink.hasRoom && random.chance(0.2)) sink.makeRoom();
    }
    for (let n = random.below(4); n > 0; n--) f.store.watches.step();
    if (random.chance(0.02)) await f.flush();
    if (random.chance(0.02)) await f.compact(Math.max(f.store.state.compactRevision + 1, f.store.state.revision - random.below(60)));
  }
  for (const { sink } of watchers) sink.makeRoom();
  catchUp(f);
  for (const { events } of all.responses)
    for (const event of events)
      everything.push({
        revision: event.kv?.modRevision ?? 0,
        text: showEvent({ ...event, prevKv: undefined }),
        key: String.fromCharCode(...(event.kv?.key ?? [])),
        isDelete: event.type === 1,
      });
  for (const { options, sink, watcher, from } of watchers) {
    checkHistory(sink, options);
    const wanted = everything.filter(
      (e) => e.revision >= from && isInRange(options.range, utf8(e.key)) && (e.isDelete ? !options.noDelete : !options.noPut),
    );
    const got = sink.all.map((event) => showEvent({ ...event, prevKv: undefined }));
    if (sink.compactedAt === undefined) {
      assert.ok(f.store.watches.isCurrent(watcher) || options.startRevision > f.store.state.revision);
      assert.deepEqual(
        got,
        wanted.map((e) => e.text),
        'reliable: all of it, whatever came between',
      );
    } else
      assert.deepEqual(
        got,
        wanted.slice(0, got.length).map((e) => e.text),
        'up to the compaction',
      );
  }
}

async function write(f: StoreFixture, random: Random): Promise<void> {
  const name = (): string => `k${String.fromCharCode(97 + random.below(10))}`;
  const choice = random.below(10);
  if (choice < 6) await f.put(put(name(), String(random.below(100))));
  else if (choice < 8) await f.del(del(name(), random.chance(0.5) ? { end: name() } : {}));
  else {
    const [a, b] = [name(), `${name()}x`];
    await f.txn(txn([compare(a, 'version', '>', 0)], [del(a), put(b, '1')], [put(a, '2'), del(b)]));
  }
}

function randomWatch(random: Random, f: StoreFixture): WatchOptions {
  const name = (): string => `k${String.fromCharCode(97 + random.below(10))}`;
  let range = key(name(), random.chance(0.5) ? name() : random.chance(0.3) ? '\0' : '');
  if (isEmptyRange(range)) range = key('k', 'l');
  const { revision } = f.store.state;
  const startRevision = random.chance(0.4) ? 0 : random.between(1, revision + 20);
  return watch(range, { startRevision, prevKv: random.chance(0.5), noPut: random.chance(0.1), noDelete: random.chance(0.1) });
}

for (let seed = 1; seed <= SEEDS; seed++)
  test(`watchers of all kinds see what there was, in order, once, whole (seed ${seed})`, () => play(seed));

/** Many watchers that want the same, of few sinks that take events for some of them and not for others, and come and go. */
async function playShared(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const f = await StoreFixture.open(seed);
  const { watches } = f.store;
  const [sinkCount, tags] = [random.between(1, 12), 60];
  const sinks = Array.from({ length: sinkCount }, () => new SharedSink(watches, tags));
  const options = (startRevision: number): WatchOptions => watch(key('k', 'l'), { startRevision });
  const joined: { readonly watcher: Watcher; readonly seen: RecordingSink; readonly from: number; to: number }[] = [];
  for (let tag = 0; tag < tags; tag++)
    for (const sink of sinks) {
      const { revision } = f.store.state;
      const from = random.chance(0.2) ? random.between(1, revision + 30) : revision + 1;
      const seen = sink.byTag[tag] as RecordingSink;
      joined.push({ watcher: watches.create(options(from), sink, tag), seen, from, to: Infinity });
      if (random.chance(0.1)) await f.put(put('k', 'v'));
    }
  for (let i = 0; i < 150; i++) {
    await f.put(put(random.chance(0.9) ? 'k' : 'elsewhere', String(i)));
    for (const sink of sinks) if (random.chance(0.5)) sink.makeRoom(random.below(2 * tags));
    for (let n = random.below(3); n > 0; n--) watches.step();
    const left = random.chance(0.2) ? joined[random.below(joined.length)] : undefined;
    if (!left || left.to < Infinity) continue;
    watches.remove(left.watcher);
    left.to = left.seen.all.at(-1)?.kv?.modRevision ?? 0;
  }
  for (const sink of sinks) sink.makeRoom(Infinity);
  catchUp(f);
  const all = new RecordingSink(watches);
  watches.create(options(1), all);
  catchUp(f);
  const everything = all.all.map((event) => event.kv?.modRevision ?? 0);
  for (const { watcher, seen, from, to } of joined) {
    checkHistory(seen, options(from));
    assert.deepEqual(
      seen.all.map((event) => event.kv?.modRevision),
      everything.filter((revision) => revision >= from && revision <= to),
    );
    assert.ok(to < Infinity || watches.isCurrent(watcher) || from > f.store.state.revision);
  }
  assert.equal(watches.size, joined.filter(({ to }) => to === Infinity).length + 1);
}

for (let seed = 1; seed <= Math.ceil(SEEDS / 2); seed++)
  test(`what a sink takes for some of its watchers, the others are given later (seed ${seed})`, () => playShared(seed));

test('a sink that ends all its watchers while it is given something harms no other, in its group or out of it', async () => {
  const f = await StoreFixture.open();
  const { watches } = f.store;
  const mine: Watcher[] = [];
  const ending = new (class extends RecordingSink {
    override events(): number {
      for (const watcher of mine) watches.remove(watcher);
      return 1;
    }
  })(watches);
  const others = Array.from({ length: 20 }, () => new RecordingSink(watches));
  for (const other of others.slice(0, 10)) watches.create(watch(key('a', 'c')), other);
  for (const range of [key('a', 'c'), key('a', 'c'), key('a')]) mine.push(watches.create(watch(range), ending));
  mine.push(watches.create(watch(key('a', 'c'), { startRevision: 3 }), ending));
  for (const other of others.slice(10)) watches.create(watch(key('a', 'c')), other);
  for (const value of ['1', '2']) await f.put(put('a', value));
  for (const other of others) assert.deepEqual(other.all.map(showEvent), ['2 put a=1', '3 put a=2']);
  assert.deepEqual([watches.size, mine.map(({ state }) => state)], [20, ['ended', 'ended', 'ended', 'ended']]);
});

test('the range index finds what a list would', () => {
  const random = seededRandom(3);
  const index = new RangeIndex<number>();
  const list = new Map<number, KeyRange>();
  const text = (): string => String.fromCharCode(97 + random.below(26)) + String.fromCharCode(97 + random.below(26));
  for (let i = 0; i < 3000; i++) {
    if (random.chance(0.6)) {
      const range = key(text(), random.chance(0.1) ? '\0' : text());
      if (isEmptyRange(range)) continue;
      index.add(range, i);
      list.set(i, range);
    } else {
      const [found] = [...list].slice(random.below(Math.max(1, list.size)));
      if (found) {
        index.remove(found[1], found[0]);
        list.delete(found[0]);
      }
    }
    const at = utf8(text());
    const got: number[] = [];
    index.find(at, (items) => got.push(...items));
    assert.deepEqual(
      got.sort((a, b) => a - b),
      [...list]
        .filter(([, range]) => isInRange(range, at))
        .map(([n]) => n)
        .sort((a, b) => a - b),
    );
  }
});

test('a watcher that is removed while others of its batch are given their events stays removed', async () => {
  const f = await StoreFixture.open();
  await f.put(put('a', '1'));
  const { watches } = f.store;
  const second = new RecordingSink(watches);
  const first = new (class extends RecordingSink {
    override events(): number {
      watches.remove(removed);
      return 1;
    }
  })(watches);
  watches.create(watch(key('a'), { startRevision: 2 }), first);
  const removed = watches.create(watch(key('a'), { startRevision: 2 }), second);
  catchUp(f);
  assert.equal(removed.state, 'ended');
  await f.put(put('a', '2'));
  assert.deepEqual([second.responses.length, watches.size], [0, 1]);
});

test('ranges that come and go, with nothing happening between, leave nothing behind', () => {
  const index = new RangeIndex<string>();
  for (let i = 0; i < 1000; i++) {
    const range = key(`a${i}`, 'b');
    index.add(range, 'x');
    index.remove(range, 'x');
  }
  assert.ok(index.entries < 100, `${index.entries} entries`);
});
