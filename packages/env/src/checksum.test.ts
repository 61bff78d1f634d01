import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as crc32Native } from 'node:zlib';
import { seededRandom } from '@distrokv/base';
import { crc32 } from './checksum.ts';

test("crc32 gives zlib's value at every length around the crossover, in one piece and continued", () => {
  const bytes = seededRandom(1).bytes(520);
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    assert.equal(crc32(part), crc32Native(part));
    assert.equal(crc32(bytes.subarray(length), crc32(part)), crc32Native(bytes));
  }
});
