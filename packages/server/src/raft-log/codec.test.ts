import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clusterId, hex, logIndex, memberId, seededRandom, term, utf8 } from '@distrokv/base';
import { RECORD_HEADER_BYTES } from '@distrokv/lsm';
import type { Entry } from '@distrokv/raft';
import { ServerError } from '../errors.ts';
import { decodeRecord, encodeBatch, encodeHeader } from './codec.ts';

const page = readFileSync(new URL('../../../../docs/format/raft-log.md', import.meta.url), 'utf8');
const example = page.slice(page.indexOf('```hex') + 6, page.lastIndexOf('```')).replace(/\s+/g, '');
const payloadOf = (record: Uint8Array): Uint8Array => record.subarray(RECORD_HEADER_BYTES);
const hardState = { term: term(5), vote: memberId(3n), commit: logIndex(6) };

test('a batch is written as docs/format/raft-log.md shows, and reads back', () => {
  const entries: Entry[] = [{ index: logIndex(7), term: term(5), kind: 'command', data: Buffer.from('hi') }];
  const payload = payloadOf(encodeBatch({ hardState, entries }));
  assert.equal(hex(payload), example);
  assert.deepEqual(decodeRecord(payload, 'here'), { kind: 'batch', hardState, entries });
});

test('a header reads back', () => {
  const header = {
    clusterId: clusterId(1n << 63n),
    memberId: memberId(2n),
    previousIndex: logIndex(300),
    previousTerm: term(4),
    hardState,
  };
  assert.deepEqual(decodeRecord(payloadOf(encodeHeader(header)), 'here'), { kind: 'header', ...header });
});

test('a payload that was changed is refused or reads as something else, and never breaks the reader', () => {
  const entries = [1, 2, 3].map((i): Entry => ({ index: logIndex(i), term: term(1), kind: 'command', data: utf8('x'.repeat(i * 50)) }));
  const payload = payloadOf(encodeBatch({ hardState, entries }));
  const random = seededRandom(1);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from(payload.subarray(0, random.chance(0.2) ? random.below(payload.length) : payload.length));
    for (let n = random.below(4); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      decodeRecord(bytes, 'here');
    } catch (error) {
      assert.ok(error instanceof ServerError, String(error));
    }
  }
});
