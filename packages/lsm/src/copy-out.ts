// Copies of values for callers. Memory for an array of more than 64 bytes costs V8 one to three microseconds, more than
// all the rest of a read; so small values are cut from a slab, as Node does for small Buffers. The price is the same too:
// a small value that is kept for long keeps its slab of 8 KiB.

const SLAB_BYTES = 8 << 10;
/** Larger values get memory of their own. */
const LARGE_BYTES = SLAB_BYTES >>> 2;
/** Up to here a loop is faster than the call of `set`. */
const LOOP_BYTES = 24;

let slab: Uint8Array = new Uint8Array(SLAB_BYTES);
let buffer = slab.buffer;
let used = 0;

/** A copy of `bytes[start, end)`. Not by `subarray`, which looks for a species of array first. */
export function copyOut(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length > LARGE_BYTES) {
    const large = new Uint8Array(length);
    large.set(bytes.subarray(start, end));
    return large;
  }
  const at = take(length);
  if (length <= LOOP_BYTES) for (let i = 0; i < length; i++) slab[at + i] = bytes[start + i] as number;
  else slab.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length), at);
  return new Uint8Array(buffer, at, length);
}

/** Room for `length` bytes, a few dozen. A small array of its own gets memory outside of V8's heap once somebody makes a view of it, and that costs a microsecond. */
export function smallRoom(length: number): Uint8Array {
  const at = take(length);
  return new Uint8Array(buffer, at, length);
}

/** Takes some of the slab; where it begins. */
function take(length: number): number {
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    buffer = slab.buffer;
    used = 0;
  }
  const at = used;
  used = at + length;
  return at;
}
