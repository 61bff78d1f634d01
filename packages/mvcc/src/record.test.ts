import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hex, logIndex, revision, term, utf8 } from '@distrokv/base';
import { type KeyRecord, RecordHead, decodeRecord } from './record.ts';
import { decodeState, encodeState } from './state.ts';

/** The worked examples of the format's page, in order. */
const examples = [...readFileSync(new URL('../../../docs/format/store.md', import.meta.url), 'utf8').matchAll(/```hex\n([^`]*)```/g)].map(
  (m) => (m[1] as string).replace(/\s+/g, ''),
);

function encodeRecord({ createRevision, version, lease, value }: KeyRecord): Uint8Array {
  const head = Object.assign(new RecordHead(), { createRevision, version, lease });
  return Buffer.concat([head.bytes.subarray(0, head.write()), value]);
}

test('a record is written as docs/format/store.md shows, and reads back', () => {
  const record = { createRevision: revision(300), version: 2, lease: 0n, value: utf8('v') };
  assert.equal(hex(encodeRecord(record)), examples[0]);
  assert.deepEqual({ ...decodeRecord(Uint8Array.from(encodeRecord(record))) }, record);
  const leased = { ...record, lease: -(1n << 63n) };
  assert.equal(decodeRecord(encodeRecord(leased)).lease, leased.lease);
});

test('the state is written as docs/format/store.md shows, and reads back', () => {
  const state = { appliedIndex: logIndex(9), appliedTerm: term(2), revision: revision(5), compactRevision: 3, leaseClockMs: 500 };
  assert.equal(hex(encodeState(state)), examples[1]);
  assert.deepEqual(decodeState(encodeState(state)), state);
  const never = { ...state, compactRevision: -1, leaseClockMs: 0 };
  assert.deepEqual(decodeState(encodeState(never)), never);
  assert.deepEqual(decodeState(Uint8Array.of(1, 9, 2, 5)), never, 'as the first format had it');
});

test('bytes that cannot be a record or a state are refused', () => {
  for (const bad of [[], [0], [0, 1], [2, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0]])
    assert.throws(() => decodeRecord(Uint8Array.from(bad)), { code: 'corrupt' });
  for (const bad of [
    [],
    [1, 1, 1],
    [2, 1, 1, 1],
    [1, 1, 1, 0],
    [1, 1, 1, 1, 1],
    [2, 1, 1, 1, 0],
    [2, 1, 1, 1, 0, 0, 0],
    [3, 1, 1, 1, 0, 0],
  ])
    assert.throws(() => decodeState(Uint8Array.from(bad)), { code: 'corrupt' });
});
