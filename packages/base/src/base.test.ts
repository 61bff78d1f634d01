import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { compareBytes, concatBytes, fromUtf8Strict, hex, prefixEnd, quote, utf8 } from './bytes.ts';
import { crc32Pure } from './checksum.ts';
import { CodedError } from './errors.ts';
import { memberId, revision } from './ids.ts';
import { seededRandom } from './random.ts';
import { VarintReader, varintLength, writeVarint } from './varint.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

test('compareBytes orders as memcmp, shorter first on a tie', () => {
  fc.assert(fc.property(bytes, bytes, (a, b) => assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))));
});

test('prefixEnd is the least key above every key with the prefix', () => {
  assert.equal(prefixEnd(utf8('')), undefined);
  assert.equal(prefixEnd(Uint8Array.of(0xff, 0xff)), undefined);
  assert.equal(hex(prefixEnd(Uint8Array.of(1, 0xff)) as Uint8Array), '02');
  fc.assert(
    fc.property(bytes, bytes, (prefix, rest) => {
      const end = prefixEnd(prefix);
      if (end) assert.ok(compareBytes(concatBytes([prefix, rest]), end) < 0 && compareBytes(prefix, end) < 0);
    }),
  );
});

test('quote shows what can be read and escapes the rest', () => {
  assert.equal(quote(utf8('a"\\\n')), '"a\\"\\\\\\x0a"');
  assert.equal(quote(utf8('abcdef'), 2), '"ab"… (6 bytes)');
});

test('strict UTF-8 refuses what is none', () => {
  assert.throws(() => fromUtf8Strict(Uint8Array.of(0xc3)), TypeError);
});

test("crc32Pure gives zlib's value, in one piece and continued", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(crc32Pure(a), zlib.crc32(a));
      assert.equal(crc32Pure(b, crc32Pure(a)), zlib.crc32(concatBytes([a, b])));
    }),
  );
});

test('a varint reads back, and takes the length that was announced', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat()), (numbers) => {
      const into = new Uint8Array(numbers.length * 8);
      let at = 0;
      for (const n of numbers) {
        const next = writeVarint(into, at, n);
        assert.equal(next - at, varintLength(n));
        at = next;
      }
      const reader = new VarintReader(into, 0, at);
      assert.deepEqual(
        numbers.map(() => reader.varint()),
        numbers,
      );
      assert.ok(reader.ok && reader.done);
    }),
  );
});

test('a varint that is cut off or too large is refused, not misread', () => {
  for (const bad of [[], [0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], Array<number>(9).fill(0x80)]) {
    const reader = new VarintReader(Uint8Array.from(bad));
    assert.equal(reader.varint(), 0);
    assert.equal(reader.ok, false);
  }
});

test('a seed repeats its sequence, and its numbers are spread evenly', () => {
  const [a, b] = [seededRandom(7), seededRandom(7)];
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const n = a.below(10);
    assert.equal(n, b.below(10));
    buckets[n] = (buckets[n] as number) + 1;
  }
  for (const count of buckets) assert.ok(count > 9_500 && count < 10_500, `bucket of ${count}`);
  assert.notEqual(seededRandom(1).uint32(), seededRandom(2).uint32());
});

test('ids are checked where they enter', () => {
  assert.throws(() => revision(-1), /a revision is a safe natural number/);
  assert.throws(() => revision(2 ** 53), /a revision/);
  assert.throws(() => memberId(1n << 64n), /a member id/);
});

test('an error that is an answer has no stack; others keep theirs', () => {
  class Refusal extends CodedError<'no'> {}
  const answer = new Refusal('no', 'not now', { isAnswer: true });
  assert.deepEqual([answer.code, answer.message, answer.name, answer instanceof Error], ['no', 'not now', 'Refusal', true]);
  assert.doesNotMatch(answer.stack ?? '', / at /);
  assert.match(new Refusal('no', 'not now').stack ?? '', / at /);
  assert.match(new Error('another').stack ?? '', / at /);
});
