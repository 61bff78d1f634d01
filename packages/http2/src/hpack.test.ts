// HPACK (RFC 7541) against the vectors of seven other encoders, against itself, and against what a peer must not send.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Random, seededRandom } from '@distrokv/base';
import { ErrorCode } from './codes.ts';
import { Http2Error } from './errors.ts';
import { HeaderBlock } from './header-block.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { huffmanDecode, huffmanEncode, huffmanLength } from './huffman.ts';
import type { HeaderList } from './types.ts';

const testdata = new URL('../testdata/hpack/', import.meta.url);
const limits = { maxHeaderListBytes: 1 << 20, maxHeaderFields: 1 << 12 };

const lines = (file: string): string[] => readFileSync(new URL(file, testdata), 'utf8').trimEnd().split('\n');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function compressionError(message?: RegExp): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof Http2Error, String(thrown));
    assert.equal(thrown.wire, ErrorCode.compressionError);
    if (message !== undefined) assert.match(thrown.message, message);
    return true;
  };
}

const stories = lines('headers.jsonl').map((line) => {
  const [story, ...list] = JSON.parse(line) as string[];
  return { story, list };
});

describe('the vectors of other encoders', () => {
  for (const encoder of [
    'go-hpack',
    'haskell-http2-linear-huffman',
    'nghttp2',
    'nghttp2-16384-4096',
    'nghttp2-change-table-size',
    'python-hpack',
    'swift-nio-hpack-huffman',
  ]) {
    test(`${encoder} decodes to the lists that it encoded`, () => {
      let decoder = new HpackDecoder(4096, limits);
      let story = '';
      for (const [i, line] of lines(`${encoder}.txt`).entries()) {
        const [number, tableBytes, wire] = line.split(' ') as [string, string, string];
        if (number !== story) decoder = new HpackDecoder(4096, limits);
        story = number;
        if (tableBytes !== '-') decoder.setLimit(Number(tableBytes));
        const bytes = bytesOf(wire);
        assert.deepEqual({ story, list: decoder.decode(bytes, 0, bytes.length) }, stories[i], `line ${i + 1}`);
      }
    });
  }
});

/** The lists without what no HTTP/2 message may have; the stories are older than that rule. */
const sendable = stories.map(({ list }) => {
  const banned = (i: number): boolean => list[i] === 'connection' || list[i] === 'keep-alive' || list[i] === 'transfer-encoding';
  return list.filter((_, i) => !banned(i - (i % 2)));
});

describe('our encoder', () => {
  for (const tableBytes of [0, 100, 1365, 4096, 16_384]) {
    test(`round trip of all stories with a table of ${tableBytes} bytes, as lists and as blocks`, () => {
      for (const asBlocks of [false, true]) {
        const encoder = new HpackEncoder(16_384);
        const decoder = new HpackDecoder(16_384, limits);
        encoder.setLimit(tableBytes);
        const known = new Map<string, HeaderBlock>();
        for (let round = 0; round < 3; round++) {
          for (const list of sendable) {
            const key = list.join('\n');
            const block = known.get(key) ?? new HeaderBlock(list);
            known.set(key, block);
            const bytes = encoder.encode(asBlocks ? block : list, ['x-round', String(round)]);
            assert.deepEqual(decoder.decode(bytes, 0, bytes.length), [...list, 'x-round', String(round)]);
            assert.equal(decoder.tableBytes, encoder.tableBytes, 'both tables are the same');
            assert.ok(encoder.tableBytes <= tableBytes);
          }
        }
      }
    });
  }

  test('the table size changes under way: least and last size are told, tables stay the same (RFC 7541 §4.2)', () => {
    const random = seededRandom(7);
    const encoder = new HpackEncoder(8192);
    const decoder = new HpackDecoder(8192, limits);
    for (let i = 0; i < 2000; i++) {
      const list = sendable[random.below(sendable.length)] as HeaderList;
      if (random.chance(0.1)) for (let n = random.between(1, 3); n > 0; n--) encoder.setLimit(random.below(6000));
      const bytes = encoder.encode(random.chance(0.5) ? new HeaderBlock(list) : list);
      assert.deepEqual(decoder.decode(bytes, 0, bytes.length), list);
      assert.equal(decoder.tableBytes, encoder.tableBytes);
    }
  });

  test('a block that was sent before is a copy of the same few bytes', () => {
    const encoder = new HpackEncoder(4096);
    const block = new HeaderBlock([':status', '200', 'content-type', 'application/grpc']);
    assert.equal(encoder.encode(block).length, 14);
    assert.equal(hexOf(encoder.encode(block)), '88be');
    assert.equal(encoder.encode(block), encoder.encode(block));
  });

  test('secrets never enter a table (RFC 7541 §7.1.3)', () => {
    const encoder = new HpackEncoder(4096);
    const bytes = encoder.encode(new HeaderBlock(['authorization', 'Basic x']));
    assert.equal((bytes[0] as number) & 0xf0, 0x10);
    assert.equal(encoder.tableBytes, 0);
  });
});

describe('Huffman (RFC 7541 §5.2)', () => {
  const decode = (bytes: Uint8Array): string => {
    const out = new Uint8Array(bytes.length * 2);
    return Buffer.from(out.subarray(0, huffmanDecode(bytes, 0, bytes.length, out))).toString('latin1');
  };
  const encode = (text: string): Uint8Array => {
    const out = new Uint8Array(huffmanLength(text));
    assert.equal(huffmanEncode(text, out, 0), out.length);
    return out;
  };

  test('every byte, alone and among others', () => {
    for (let c = 0; c < 256; c++) {
      for (const text of [
        String.fromCharCode(c),
        `a${String.fromCharCode(c)}b`,
        String.fromCharCode(c).repeat(9),
        `${String.fromCharCode(c)}\xff\0`,
      ]) {
        assert.equal(decode(encode(text)), text);
      }
    }
  });

  test('random text', () => {
    const random = seededRandom(3);
    for (let i = 0; i < 5000; i++) {
      const text = randomText(random, random.chance(0.5) ? 256 : 128);
      assert.equal(decode(encode(text)), text);
    }
  });

  test('the examples of RFC 7541 §C.4', () => {
    assert.equal(hexOf(encode('www.example.com')), 'f1e3c2e5f23a6ba0ab90f4ff');
    assert.equal(hexOf(encode('no-cache')), 'a8eb10649cbf');
    assert.equal(hexOf(encode('custom-value')), '25a849e95bb8e8b4bf');
  });

  test('padding longer than 7 bits, padding that is not ones, EOS, a code cut short: refused', () => {
    assert.throws(() => decode(bytesOf('1fff')), compressionError(/does not end/)); // 'a', then 11 bits of ones
    assert.throws(() => decode(bytesOf('18')), compressionError(/padding/)); // 'a', then 000
    assert.throws(() => decode(bytesOf('ff')), compressionError(/does not end/));
    assert.throws(() => decode(bytesOf('ffffffff')), compressionError(/EOS/));
    assert.throws(() => decode(bytesOf('fffffffc')), compressionError());
    assert.throws(() => decode(bytesOf('ffff')), compressionError(/does not end/));
    assert.equal(decode(bytesOf('1f')), 'a');
    assert.equal(decode(bytesOf('')), '');
  });
});

/** As long as a header may be, and any bytes below `alphabet`. */
function randomText(random: Random, alphabet: number): string {
  return String.fromCharCode(...random.bytes(random.below(40)).map((byte) => byte % alphabet));
}

describe('the examples of RFC 7541 Appendix C', () => {
  const requests: readonly HeaderList[] = [
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'],
    [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com', 'cache-control', 'no-cache'],
    [':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com', 'custom-key', 'custom-value'],
  ];
  const play = (tableBytes: number, blocks: readonly string[]): HeaderList[] => {
    const decoder = new HpackDecoder(4096, limits);
    if (tableBytes === 256) decoder.decode(bytesOf('3fe101'), 0, 3);
    return blocks.map((block) => {
      const bytes = bytesOf(block);
      return decoder.decode(bytes, 0, bytes.length);
    });
  };

  test('C.3: requests without Huffman coding', () => {
    const blocks = [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ];
    assert.deepEqual(play(4096, blocks), requests);
  });

  test('C.4: requests with Huffman coding; ours are the same bytes', () => {
    const blocks = [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ];
    assert.deepEqual(play(4096, blocks), requests);
    const encoder = new HpackEncoder(4096);
    assert.deepEqual(
      requests.map((list) => hexOf(encoder.encode(new HeaderBlock(list)))),
      blocks.map((block) => block.replaceAll(' ', '')),
    );
  });

  test('C.6: responses, with a table of 256 bytes that has to let go', () => {
    const blocks = [
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ];
    const common = ['cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:21 GMT', 'location', 'https://www.example.com'];
    assert.deepEqual(play(256, blocks), [
      [':status', '302', ...common],
      [':status', '307', ...common],
      [
        ...[':status', '200', 'cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
        ...['location', 'https://www.example.com', 'content-encoding', 'gzip'],
        ...['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
      ],
    ]);
  });
});

describe('what an encoder must not send', () => {
  const decode = (text: string, prepare?: (decoder: HpackDecoder) => void): HeaderList => {
    const decoder = new HpackDecoder(4096, limits);
    prepare?.(decoder);
    const bytes = bytesOf(text);
    return decoder.decode(bytes, 0, bytes.length);
  };
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['§2.3.3: index beyond the tables', 'be', /index 62/],
    ['§2.3.3: index beyond the tables, as the name of a literal', '7e00', /index 62/],
    ['§6.1: index 0', '80', /index 0/],
    ['§5.1: an integer that does not end', 'ff', /does not end/],
    ['§5.1: an integer that goes on for ever', 'ff8080808080808080808001', /too large/],
    ['§5.1: an integer that is too large', 'ffffffffff7f', /too large/],
    ['§5.2: a string longer than its block', '00016105', /longer/],
    ['§5.2: a name without a value', '000161', /missing/],
    ['§5.2: a literal without anything', '40', /missing/],
    ['§6.3: a table larger than the limit', '3fe21f', /beyond our limit/],
    ['§4.2: a table size update after a field', '8220', /after a field/],
    ['§4.2: three table size updates', '202020', /three/],
  ];
  for (const [what, block, message] of refused) {
    test(what, () => assert.throws(() => decode(block), compressionError(message)));
  }

  test('§4.2: no update after the limit went down', () => {
    const lower = (decoder: HpackDecoder): void => decoder.setLimit(100);
    assert.throws(() => decode('82', lower), compressionError(/no table size update/));
    assert.throws(() => decode('3f4682', lower), compressionError(/beyond our limit/));
    assert.deepEqual(decode('3f4582', lower), [':method', 'GET']);
    assert.deepEqual(decode('2082', lower), [':method', 'GET']);
  });

  test('§4.4: an entry larger than the table empties it, and is no error', () => {
    const decoder = new HpackDecoder(4096, limits);
    const run = (text: string): HeaderList => decoder.decode(bytesOf(text), 0, bytesOf(text).length);
    run('400161 0162');
    assert.equal(decoder.tableBytes, 34);
    assert.deepEqual(run('3f05 400161 0a62626262626262626262'), ['a', 'bbbbbbbbbb']);
    assert.equal(decoder.tableBytes, 0);
  });

  test('§4.3: a smaller table lets go of the oldest entries', () => {
    const decoder = new HpackDecoder(4096, limits);
    const run = (text: string): HeaderList => decoder.decode(bytesOf(text), 0, bytesOf(text).length);
    run('400161 0131 400161 0132 400161 0133');
    assert.deepEqual(run('3f25 be bf'), ['a', '3', 'a', '2']); // 68 bytes: two entries of 34
    assert.throws(() => run('c0'), compressionError(/index 64/));
  });
});

describe('limits', () => {
  test('an HPACK bomb: a large entry named again and again costs no memory, and ends at the limit', () => {
    const decoder = new HpackDecoder(4096, { maxHeaderListBytes: 16 << 10, maxHeaderFields: 256 });
    const value = 3900 - 127;
    const insert = Uint8Array.of(0x40, 1, 0x61, 0x7f, (value & 0x7f) | 0x80, value >> 7, ...new Array<number>(3900).fill(0x62));
    decoder.decode(insert, 0, insert.length);
    const bomb = new Uint8Array(16_384).fill(0xbe);
    const list = decoder.decode(bomb, 0, bomb.length);
    assert.ok(decoder.tooLarge);
    assert.equal(list.length, 2 * Math.floor((16 << 10) / 3933));
    assert.equal(decoder.listBytes, 16_384 * 3933);
  });

  test('too many fields, however small', () => {
    const decoder = new HpackDecoder(4096, { maxHeaderListBytes: 1 << 20, maxHeaderFields: 8 });
    const nine = new Uint8Array(9).fill(0x82);
    assert.equal(decoder.decode(nine, 0, 8).length, 16);
    assert.equal(decoder.tooLarge, false);
    assert.equal(decoder.decode(nine, 0, 9).length, 16);
    assert.equal(decoder.tooLarge, true);
  });
});
