import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManifestState } from './manifest.ts';
import { type VersionEdit, decodeEdit, encodeEdit, isRange } from './version-edit.ts';

const natural = fc.maxSafeNat();
const plain = { noNullPrototype: true };
const ids = fc.integer({ min: 1, max: 127 });
const key = (id: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: 9 }).map((rest) => Uint8Array.of(id, ...rest));
const ranges = ids
  .chain((id) =>
    fc.record({ number: natural, start: key(id), end: fc.oneof(key(id), fc.constant(Uint8Array.of(id + 1))), version: natural }, plain),
  )
  .filter(({ start, end }) => isRange(start, end));
const edits: fc.Arbitrary<Required<VersionEdit>> = fc.record(
  {
    keyspaces: fc.array(
      fc.record(
        { id: fc.integer({ min: 1, max: 127 }), name: fc.string({ unit: 'grapheme' }), versions: fc.constantFrom('caller', 'latest') },
        plain,
      ),
    ),
    dropped: fc.array(natural),
    rangesAdded: fc.array(ranges),
    rangesRemoved: fc.array(natural),
    written: fc.array(fc.tuple(natural, natural)).map((pairs) => new Map(pairs)),
    arrived: natural,
    added: fc.array(fc.record({ number: natural, level: natural, run: natural, byteLength: natural }, plain)),
    removed: fc.array(natural),
    walFrom: natural,
    sequence: natural,
    nextNumber: natural,
    lastVersions: fc.array(fc.tuple(fc.integer({ min: 1, max: 127 }), natural)).map((pairs) => new Map(pairs)),
    retentions: fc.array(fc.tuple(fc.integer({ min: 1, max: 127 }), natural)).map((pairs) => new Map(pairs)),
  },
  plain,
);

test('an edit reads back', () => {
  fc.assert(
    fc.property(edits, fc.nat(20), (edit, reserve) => assert.deepEqual(decodeEdit(encodeEdit(edit, reserve).subarray(reserve)), edit)),
  );
});

test('bytes that are no edit are refused, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const edit = decodeEdit(bytes);
      // What is accepted says something that can be written again.
      if (edit !== undefined) assert.deepEqual(decodeEdit(encodeEdit(edit, 0)), edit);
    }),
  );
  assert.equal(decodeEdit(Uint8Array.of(99)), undefined, 'an unknown tag');
  assert.equal(decodeEdit(Uint8Array.of(1, 1, 9, 0)), undefined, 'an unknown mode');
  assert.equal(decodeEdit(Uint8Array.of(1, 0, 0, 0)), undefined, 'a keyspace of id 0');
  assert.equal(decodeEdit(Uint8Array.of(1, 1, 0, 2, 0xc3, 0x28)), undefined, 'a name that is no text');
});

test('an edit that does not fit the state is refused', () => {
  const table = { number: 1, level: 0, run: 1, byteLength: 10 };
  const state = new ManifestState();
  assert.ok(state.apply({ added: [table] }));
  assert.equal(state.apply({ added: [table] }), false, 'a table twice');
  assert.equal(state.apply({ removed: [2] }), false, 'a table that is not there');
});
