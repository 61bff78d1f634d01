// Ranges of byte arrays, compared and copied without making a view of each: keys lie inside arenas and blocks, and a
// `subarray` costs more than comparing a short key.

/** As `compareBytes`, for `a[aStart, aEnd)` and `b[bStart, bEnd)`. */
export function compareRanges(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const n = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < n; i++) {
    const d = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (d !== 0) return d;
  }
  return aLength - bLength;
}

/** Whether the two ranges hold the same bytes. Neighbours in sorted order differ at their ends first, so that is where it begins. */
export function equalRanges(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = aEnd - 1, j = bEnd - 1; i >= aStart; i--, j--) if (a[i] !== b[j]) return false;
  return true;
}

/** How many bytes the two ranges have in common at their start. */
export function commonPrefix(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): number {
  const n = Math.min(aEnd - aStart, bEnd - bStart);
  let i = 0;
  while (i < n && a[aStart + i] === b[bStart + i]) i++;
  return i;
}

/** Up to here a loop copies faster than a call. */
const LOOP_BYTES = 64;
/** Node's own copy takes any arrays of bytes, and where the range begins and ends: `set` wants a view, which costs twice as much as the copy. */
const copyOut: (this: Uint8Array, into: Uint8Array, at: number, start: number, end: number) => number = Buffer.prototype.copy;

/** Copies `from[start, end)` to `into` at `at`; returns the position after it. Throws RangeError if there is no room. */
export function copyRange(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  if (end - start <= LOOP_BYTES) for (let i = start, to = at; i < end; i++, to++) into[to] = from[i] as number;
  else if (copyOut.call(from, into, at, start, end) !== end - start) throw new RangeError('a range is copied whole');
  return at + end - start;
}

/** `bytes` if it holds `length`, else a larger array with the first `used` bytes of it. */
export function grown(bytes: Uint8Array, used: number, length: number): Uint8Array {
  if (bytes.length >= length) return bytes;
  const larger = new Uint8Array(Math.max(length, bytes.length * 2));
  larger.set(bytes.subarray(0, used));
  return larger;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0
  );
}

/** Little-endian, as every fixed number on disk; returns the position after it. */
export function writeUint32(into: Uint8Array, at: number, n: number): number {
  into[at] = n;
  into[at + 1] = n >>> 8;
  into[at + 2] = n >>> 16;
  into[at + 3] = n >>> 24;
  return at + 4;
}

/** Good up to 2^53; beyond that it is not a safe integer, and the reader's check finds out. */
export function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) + readUint32(bytes, at + 4) * 0x1_0000_0000;
}

export function writeUint64(into: Uint8Array, at: number, n: number): number {
  writeUint32(into, at, n);
  return writeUint32(into, at + 4, Math.floor(n / 0x1_0000_0000));
}
