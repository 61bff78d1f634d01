// The seeded campaigns of testing/fuzz.ts, a few seconds of each; DISTROKV_TEST_SCALE=20 makes it 20 times as much, and
// DISTROKV_TEST_SEED begins elsewhere. HPACK alone is mutated here, too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { ErrorCode } from './codes.ts';
import { Http2Error } from './errors.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { fuzzFrames, fuzzPipe } from './testing/fuzz.ts';

const scale = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
const seed = Number(process.env['DISTROKV_TEST_SEED'] ?? 1);
const inputs = Math.round(15_000 * scale);
const hpackInputs = Math.round(35_000 * scale);
/** Conversations that have failed: more streams than the server allows, before it could say so; output that waits, taken for a peer that does not read. */
const found = [20_261_184_784_472, 777_003_188];
const conversations = Math.round(40 * scale);

test(`${inputs} mutated connections from seed ${seed}: no throw, no loop, whole frames, little held`, (t) => {
  const counts = fuzzFrames(seed, inputs);
  t.diagnostic(JSON.stringify({ ...counts, connectionErrors: Object.fromEntries(counts.connectionErrors) }));
  for (const what of ['headers', 'data', 'trailers', 'resets', 'streamErrors'] as const) {
    assert.ok(counts[what] > inputs / 1000, `${what}: ${counts[what]}`);
  }
  for (const code of [ErrorCode.protocolError, ErrorCode.compressionError, ErrorCode.frameSizeError, ErrorCode.flowControlError]) {
    assert.ok((counts.connectionErrors.get(code) ?? 0) > inputs / 10_000, `code ${code}`);
  }
});

test(`${hpackInputs} mutated field blocks from seed ${seed}: a list or COMPRESSION_ERROR, within the limits`, () => {
  const random = seededRandom(seed);
  let lists = 0;
  let errors = 0;
  let decoder = new HpackDecoder(4096, { maxHeaderListBytes: 8192, maxHeaderFields: 64 });
  const encoder = new HpackEncoder(4096);
  for (let i = 0; i < hpackInputs; i++) {
    const list = Array.from({ length: 2 * random.below(6) }, () => String.fromCharCode(...random.bytes(random.below(12))));
    const bytes = random.chance(0.1) ? random.bytes(random.below(60)) : encoder.encode(list).slice();
    for (let n = random.below(4); n > 0 && bytes.length > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      const got = decoder.decode(bytes, 0, bytes.length);
      assert.ok(got.length <= 128 && got.length % 2 === 0);
      lists++;
    } catch (thrown) {
      assert.ok(thrown instanceof Http2Error && thrown.wire === ErrorCode.compressionError, String(thrown));
      errors++;
      decoder = new HpackDecoder(4096, { maxHeaderListBytes: 8192, maxHeaderFields: 64 });
    }
    assert.ok(decoder.tableBytes <= 4096);
  }
  assert.ok(lists > hpackInputs / 10 && errors > hpackInputs / 10, `${lists} lists, ${errors} errors`);
});

test(`${conversations} conversations of our client and our server through a pipe that cuts anywhere, from seed ${seed}`, (t) => {
  let calls = 0;
  let bytes = 0;
  for (const one of [...found, ...Array.from({ length: conversations }, (_, i) => seed * 1_000_003 + i)]) {
    try {
      const done = fuzzPipe(one);
      calls += done.calls;
      bytes += done.bytes;
    } catch (thrown) {
      throw new Error(`conversation ${one}`, { cause: thrown });
    }
  }
  t.diagnostic(`${calls} calls, ${bytes} bytes`);
});
