import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { type Random, seededRandom } from '@distrokv/base';
import { type SequentialModel, type TimedOperation, checkLinearizable } from './linearizability.ts';
import { ABSENT, type RegisterOperation, registerModel } from './registers.ts';
import { bruteForce } from '../testing/brute-force.ts';
import { type AppendOperation, appendModel, readJepsen, readMap } from '../testing/published-histories.ts';

const scale = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
/** A minute's search. */
const SLOW: readonly string[] = ['kv/c50-bad.txt'];

const published = fileURLToPath(new URL('../../../../../shared/data/linearizability/', import.meta.url));

test('agrees with brute force on 100,000 small histories', () => {
  const random = seededRandom(1);
  const verdicts = { linearizable: 0, 'not linearizable': 0, undecided: 0 };
  for (let i = 0; i < 100_000; i++) {
    const history = drawHistory(random);
    const verdict = checkLinearizable(registerModel, history);
    verdicts[verdict]++;
    const expected = bruteForce(registerModel, history) ? 'linearizable' : 'not linearizable';
    assert.equal(verdict, expected, JSON.stringify(history));
  }
  assert.ok(verdicts.linearizable > 20_000 && verdicts['not linearizable'] > 20_000, JSON.stringify(verdicts));
});

/** Up to six overlapping operations on a register with two values. */
function drawHistory(random: Random): TimedOperation<RegisterOperation>[] {
  const values = [ABSENT, 'a', 'b'];
  const value = (): string => values[random.below(3)] as string;
  const nothing: RegisterOperation = { saw: undefined, sawAny: false, guard: undefined, failed: false, writes: undefined };
  return Array.from({ length: random.between(1, 6) }, () => {
    const start = random.below(12);
    const isKnown = random.chance(0.8);
    const end = isKnown ? start + 1 + random.below(8) : Infinity;
    const dice = random.below(4);
    if (dice === 0) return { start, end: start + 1 + random.below(8), op: { ...nothing, saw: value() } };
    if (dice === 1) return { start, end, op: { ...nothing, writes: value(), saw: random.chance(0.3) ? value() : undefined } };
    if (dice === 2) return { start, end, op: { ...nothing, writes: ABSENT, sawAny: isKnown && random.chance(0.5) } };
    const failed = isKnown && random.chance(0.4);
    return { start, end, op: { ...nothing, guard: value(), writes: value(), failed, saw: failed ? value() : undefined } };
  });
}

test(
  'agrees with the published verdicts on recorded histories',
  { skip: existsSync(published) ? false : 'the histories are not here' },
  () => {
    const verdicts = JSON.parse(readFileSync(`${published}verdicts.json`, 'utf8')) as Record<string, boolean>;
    assert.ok(Object.keys(verdicts).length > 50);
    for (const [file, isLinearizable] of Object.entries(verdicts)) {
      if (SLOW.includes(file) && scale < 10) continue;
      const text = readFileSync(published + file, 'utf8');
      const verdict = file.startsWith('kv/') ? checkMap(text) : checkLinearizable(registerModel, readJepsen(text));
      assert.equal(verdict, isLinearizable ? 'linearizable' : 'not linearizable', file);
    }
  },
);

/** A map is linearizable when each of its keys is (Herlihy and Wing, locality). */
function checkMap(text: string): string {
  const model: SequentialModel<string, AppendOperation> = appendModel;
  const verdicts = [...readMap(text).values()].map((history) => checkLinearizable(model, history));
  return verdicts.find((verdict) => verdict !== 'linearizable') ?? 'linearizable';
}
