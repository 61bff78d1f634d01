// Copies of short byte strings, cheaply. A Uint8Array of more than 64 bytes has its memory outside of V8's heap, and
// getting that takes over a microsecond: more than all else in reading a message. So short copies share a slab, as
// Node's Buffers do. The price: a copy that lives on keeps up to a slab in memory.

const SLAB_BYTES = 8192;
/** Longer copies have memory of their own. */
const SHARED_BYTES = 2048;
/** Up to here, V8 has the bytes in its heap. */
const HEAP_BYTES = 64;
/** Up to here, a loop copies faster than a call of `set`. */
const LOOP_BYTES = 32;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

/** A copy of `bytes[start, end)`. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  const out = length <= HEAP_BYTES || length > SHARED_BYTES ? new Uint8Array(length) : fromSlab(length);
  copyInto(out, 0, bytes, start, length);
  return out;
}

export function copyInto(into: Uint8Array, at: number, bytes: Uint8Array, start: number, length: number): void {
  if (length > LOOP_BYTES) into.set(start === 0 && length === bytes.length ? bytes : bytes.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) into[at + i] = bytes[start + i] as number;
}

function fromSlab(length: number): Uint8Array {
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  used += length;
  return new Uint8Array(slab.buffer, used - length, length);
}
