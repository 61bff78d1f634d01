// The judge of those who observe elections, on histories made by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mvccpb, v3electionpb } from '@distrokv/proto';
import type { Observed } from '../api/api-history.ts';
import { bytesOf } from '../api/calls.ts';
import { judgeObserved } from './observed.ts';

const kv = (key: string, modRevision: number, createRevision = modRevision): mvccpb.KeyValue =>
  mvccpb.KeyValue.create({ key: bytesOf(key), value: bytesOf(`v${modRevision}`), modRevision, createRevision, version: 1 });
const put = (one: mvccpb.KeyValue): mvccpb.Event[] => [mvccpb.Event.create({ type: 0, kv: one })];
const del = (key: string, modRevision: number): mvccpb.Event[] => [mvccpb.Event.create({ type: 1, kv: kv(key, modRevision, 0) })];

/** a leads from 2 on, b stands behind it, a writes at 4, and b while it waits; b leads from 6 to 7, then nobody, then c. */
const [a2, b3, a4, b5, c8] = [kv('m/a', 2), kv('m/b', 3), kv('m/a', 4, 2), kv('m/b', 5, 3), kv('m/c', 8)];
const events = new Map([
  [2, put(a2)],
  [3, put(b3)],
  [4, put(a4)],
  [5, put(b5)],
  [6, del('m/a', 6)],
  [7, del('m/b', 7)],
  [8, put(c8)],
]);

type Told = readonly [one: mvccpb.KeyValue, revision: number];

function judge(told: readonly Told[], { compactions = [] as number[], isOver = false, isHealed = true } = {}): void {
  const answers = told.map(([one, revision]) =>
    v3electionpb.LeaderResponse.create({ kv: one, header: { clusterId: 1n, memberId: 1n, revision, raftTerm: 1 } }),
  );
  const observed: Observed = { who: 'o1', machine: 0, name: 'm', answers, isOver };
  judgeObserved([observed], { events, revision: 9, compactions: new Set(compactions) }, () => isHealed);
}

const whole: readonly Told[] = [
  [a2, 3],
  [a4, 4],
  [b5, 6],
  [c8, 9],
];

test('who is told all of it, from where it came in, is told right', () => {
  for (let from = 0; from < whole.length; from++) judge(whole.slice(from));
  judge(whole.slice(0, 2), { isOver: true });
  judge(whole.slice(0, 2), { isHealed: false });
  judge([], { isOver: true });
});

test('each way to be told wrong is found', () => {
  const wrong = (told: readonly Told[], options: Parameters<typeof judge>[1], says: RegExp): void =>
    assert.throws(() => judge(told, options), says);
  wrong([[b3, 3]], {}, /never led/);
  wrong([[a2, 2], ...whole], {}, /does not come after/);
  wrong(
    [
      [a4, 4],
      [a2, 3],
    ],
    {},
    /does not come after/,
  );
  wrong([[a2, 4]], {}, /as of revision 4/);
  wrong(
    [
      [a2, 2],
      [b5, 6],
    ],
    {},
    /it was to be told of m\/a of revision 4/,
  );
  wrong(whole.slice(0, 3), {}, /nothing of the last leader/);
  wrong([], {}, /nothing of the last leader/);
});

test('what was compacted may be left out, and nothing else', () => {
  const gap = [whole[0], whole[2], whole[3]] as readonly Told[];
  judge(gap, { compactions: [5] });
  assert.throws(() => judge(gap, { compactions: [4] }), /it was to be told of m\/a of revision 4/);
});
