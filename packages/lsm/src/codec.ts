// How the payload of a block is squeezed. Its codec byte says which way; what is squeezed begins with the length of the payload,
// a varint, so that it is unpacked within a bound that was known before. A block that hardly shrinks is stored as it is.
import * as zlib from 'node:zlib';
import { MAX_VARINT_BYTES, VarintReader, assert, messageOf, writeVarint } from '@distrokv/base';
import type { Codec } from './engine.ts';
import { LsmError, corrupt } from './errors.ts';
import { isLz4Length, lz4Bound, lz4Compress, lz4Decompress } from './lz4.ts';
import { grown } from './ranges.ts';

/** By their byte in the file. */
const CODECS: readonly Codec[] = ['none', 'lz4', 'deflate', 'zstd'];

export const CODEC_NONE = 0;
/** No payload is larger: a block ends with the entry that fills it, and keys and values are bounded. */
export const MAX_PAYLOAD_BYTES: number = 300 << 20;

/** What the types of the oldest supported runtime do not have. */
interface Zstd {
  zstdCompressSync(bytes: Uint8Array): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}
const { zstdCompressSync, zstdDecompressSync }: Partial<Zstd> = zlib as Partial<Zstd>;

/** Whether this runtime has the codec. */
export function isAvailable(codec: Codec): boolean {
  return codec !== 'zstd' || zstdCompressSync !== undefined;
}

/** More is not kept for the next payload. */
const MAX_SCRATCH_BYTES = 1 << 20;
let scratch: Uint8Array = new Uint8Array(8 << 10);

/** The squeezed payload, good until the next call, and its codec byte; the payload itself if that is not worth it. */
export function squeeze(codec: Codec, payload: Uint8Array): { codec: number; bytes: Uint8Array } {
  const asItIs = { codec: CODEC_NONE, bytes: payload };
  if (codec === 'none') return asItIs;
  if (scratch.length > MAX_SCRATCH_BYTES) scratch = new Uint8Array(0);
  scratch = grown(scratch, 0, MAX_VARINT_BYTES + lz4Bound(payload.length));
  const at = writeVarint(scratch, 0, payload.length);
  const body = compress(codec, payload, scratch.subarray(at));
  // An eighth is what unpacking has to be worth at least.
  if (at + body.length > payload.length - (payload.length >>> 3)) return asItIs;
  if (body.buffer !== scratch.buffer) scratch.set(body, at);
  return { codec: CODECS.indexOf(codec), bytes: scratch.subarray(0, at + body.length) };
}

function compress(codec: Exclude<Codec, 'none'>, payload: Uint8Array, output: Uint8Array): Uint8Array {
  switch (codec) {
    case 'lz4':
      return lz4Compress(payload, output);
    case 'deflate':
      return zlib.deflateRawSync(payload, { level: 1 });
    default:
      assert(zstdCompressSync !== undefined, 'the options were checked');
      return zstdCompressSync(payload);
  }
}

/**
 * The payload behind squeezed bytes that have passed their checksum, from the beginning of what `take` gives for it; throws LsmError `corrupt`
 * or `newer-format`.
 */
export function unsqueeze(
  codecByte: number,
  bytes: Uint8Array,
  path: string,
  offset: number,
  take: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): Uint8Array {
  const codec = CODECS[codecByte];
  if (codec === undefined || !isAvailable(codec))
    throw new LsmError(
      'newer-format',
      `${path} has a block of codec ${codec ?? codecByte}, which this release on this runtime does not know`,
    );
  if (codec === 'none') return bytes;
  const reader = new VarintReader(bytes);
  const length = reader.varint();
  if (!reader.ok || length > MAX_PAYLOAD_BYTES) throw corrupt(path, offset, `a block of codec ${codec} without a length`);
  const body = bytes.subarray(reader.at);
  let payload: Uint8Array;
  try {
    payload = decompress(codec, body, length, take);
  } catch (error) {
    throw corrupt(path, offset, `a block of codec ${codec} that does not unpack: ${messageOf(error)}`);
  }
  if (payload.length !== length) throw corrupt(path, offset, `a block of codec ${codec} with ${payload.length} bytes instead of ${length}`);
  if (codec === 'lz4') return payload;
  // What zlib returns is a Buffer, and may be a view of a larger one, which a cache would not know that it keeps.
  const memory = take(length);
  memory.set(payload);
  return memory.subarray(0, length);
}

function decompress(codec: Exclude<Codec, 'none'>, body: Uint8Array, length: number, take: (length: number) => Uint8Array): Uint8Array {
  // Zero would mean no bound.
  const maxOutputLength = Math.max(1, length);
  switch (codec) {
    case 'lz4':
      // A length that lies allocates nothing.
      return lz4Decompress(body, length, isLz4Length(length, body.length) ? take(length) : undefined);
    case 'deflate':
      return zlib.inflateRawSync(body, { maxOutputLength });
    default:
      assert(zstdDecompressSync !== undefined, 'the codec is available');
      return zstdDecompressSync(body, { maxOutputLength });
  }
}
