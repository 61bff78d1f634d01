// Random commands against the model, at present and as of any revision in the past, over flushes and crashes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '@distrokv/base';
import { StoreFixture } from './testing/fixture.ts';
import { Model } from './testing/model.ts';
import { compare, del, put, range, show, txn } from './testing/requests.ts';

const SEEDS = Number(process.env['DISTROKV_TEST_SEEDS'] ?? 12);
const STEPS = 400;

const keyOf = (random: Random): string => `k${String.fromCharCode(97 + random.below(12))}`;

async function step(f: StoreFixture, model: Model, random: Random): Promise<void> {
  const key = keyOf(random);
  const value = `v${random.below(1000)}`;
  const choice = random.below(10);
  if (choice < 5) {
    await f.put(put(key, value));
    model.change(new Map([[key, value]]));
  } else if (choice < 7) {
    const end = random.chance(0.5) ? keyOf(random) : '';
    await f.del(del(key, { end }));
    const doomed = end === '' ? [key] : [...model.at(model.revision).keys()].filter((k) => k >= key && k < end);
    model.change(new Map(doomed.map((k) => [k, undefined])));
  } else {
    const version = random.below(3);
    const other = `${keyOf(random)}x`;
    const done = await f.txn(txn([compare(key, 'version', '=', version)], [put(key, value), put(other, value)], [del(key)]));
    const holds = (model.at(model.revision).get(key)?.version ?? 0) === version;
    assert.equal(done.succeeded, holds);
    model.change(
      new Map(
        holds
          ? [
              [key, value],
              [other, value],
            ]
          : [[key, undefined]],
      ),
    );
  }
}

function compareAt(f: StoreFixture, model: Model, revision: number, random: Random): void {
  const from = keyOf(random);
  const to = `${keyOf(random)}y`;
  const expected = model.list(revision, from, to);
  const limit = random.below(4);
  const got = f.range(range(from, { end: to, revision, limit }));
  assert.equal(got.count, expected.length);
  assert.deepEqual(got.kvs.map(show), limit > 0 ? expected.slice(0, limit) : expected);
  assert.equal(got.more, limit > 0 && expected.length > limit);
  const one = f.range(range(from, { revision }));
  assert.deepEqual(one.kvs.map(show), model.list(revision, from, `${from}\0`));
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`random commands answer as the model does (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const f = await StoreFixture.open(seed);
    const model = new Model();
    for (let i = 0; i < STEPS; i++) {
      await step(f, model, random);
      assert.equal(f.store.state.revision, model.revision);
      if (random.chance(0.03)) await f.flush();
      if (random.chance(0.02)) await f.crashAndRecover();
      compareAt(f, model, random.between(1, model.revision), random);
    }
  });
}
