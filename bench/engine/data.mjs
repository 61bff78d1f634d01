// What is stored: 16-byte keys of decimal digits, and values that follow from the key alone, so that every read can be checked
// byte for byte without keeping anything in memory. Keys that are stored first have even numbers; odd ones are missing until a workload writes them.

export const KEY_BYTES = 16;

const POOL_BYTES = 4 << 20;

/** Writes `number` as 16 digits, with zeros in front. */
export function writeKey(into, at, number) {
  for (let i = at + KEY_BYTES - 1; i >= at; i--) {
    const rest = Math.floor(number / 10);
    into[i] = 48 + (number - rest * 10);
    number = rest;
  }
}

/**
 * A mix in which each bit of `n` reaches every bit of the result (the finaliser of MurmurHash3): 32 bits with a sign, since a number that fits a word
 * is no garbage. What the making of records leaves behind would be collected while an engine is measured.
 */
function mix(n) {
  let h = n | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The values: windows on a pool of bytes of which every second fifty repeat the fifty before, so that they compress to a good half. */
export class Values {
  #pool = Buffer.allocUnsafeSlow(POOL_BYTES);

  constructor(valueBytes) {
    this.valueBytes = valueBytes;
    for (let i = 0; i < POOL_BYTES; i++) this.#pool[i] = i % 100 < 50 ? mix(i) & 0xff : this.#pool[i - 50];
  }

  #offset(number) {
    return (mix(number) >>> 0) % (POOL_BYTES - this.valueBytes);
  }

  write(into, at, number) {
    const offset = this.#offset(number);
    this.#pool.copy(into, at, offset, offset + this.valueBytes);
  }

  /** Throws unless `bytes[start, end)` is the value of key `number`. */
  check(number, bytes, start = 0, end = bytes?.length) {
    const offset = this.#offset(number);
    if (bytes === undefined) throw new Error(`key ${number} was not found`);
    if (end - start !== this.valueBytes || this.#pool.compare(bytes, start, end, offset, offset + this.valueBytes) !== 0) {
      throw new Error(`key ${number} has another value than was written`);
    }
  }
}

/** Room for `count` records, filled again and again: what a workload hands to a store. */
export class Records {
  keys = [];
  values = [];
  #values;

  constructor(count, values) {
    this.#values = values;
    const keys = Buffer.allocUnsafeSlow(count * KEY_BYTES);
    const bytes = Buffer.allocUnsafeSlow(count * values.valueBytes);
    for (let i = 0; i < count; i++) {
      this.keys.push(keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES));
      this.values.push(bytes.subarray(i * values.valueBytes, (i + 1) * values.valueBytes));
    }
  }

  set(slot, number) {
    writeKey(this.keys[slot], 0, number);
    this.#values.write(this.values[slot], 0, number);
  }
}

/** A permutation of [0, count) that needs no memory: a Feistel network, walked until it falls into the range. */
export class Permutation {
  #count;
  #half;
  #mask;

  constructor(count) {
    this.#count = count;
    this.#half = Math.max(1, Math.ceil(Math.log2(count) / 2));
    this.#mask = 2 ** this.#half - 1;
  }

  at(index) {
    let n = index;
    do {
      let left = n >>> this.#half;
      let right = n & this.#mask;
      for (let round = 1; round <= 4; round++) {
        const next = left ^ (mix(right + round * 0x9e3779b9) & this.#mask);
        left = right;
        right = next;
      }
      n = ((left << this.#half) | right) >>> 0;
    } while (n >= this.#count);
    return n;
  }
}

/** Entries that a scan delivered and that are the caller's now. Stores that show views have them copied; others hand over what they made. */
export class Page {
  #slab;
  #keys = [];
  #values = [];
  #at = [];
  #end = 0;
  count = 0;

  constructor(entries, valueBytes) {
    this.#slab = Buffer.allocUnsafeSlow(entries * (KEY_BYTES + valueBytes));
  }

  clear() {
    this.count = 0;
    this.#end = 0;
  }

  copy(key, value) {
    this.#slab.set(key, this.#end);
    this.#slab.set(value, this.#end + key.length);
    this.#keys[this.count] = undefined;
    this.#at[this.count++] = this.#end;
    this.#end += key.length + value.length;
    this.#at[this.count] = this.#end;
  }

  keep(key, value) {
    this.#keys[this.count] = key;
    this.#values[this.count++] = value;
  }

  /** Throws unless entry `index` is key `number` with its value. */
  check(index, number, values) {
    const expected = Buffer.allocUnsafe(KEY_BYTES);
    writeKey(expected, 0, number);
    const key = this.#keys[index];
    const start = this.#at[index];
    const found = key ?? this.#slab.subarray(start, start + KEY_BYTES);
    if (expected.compare(found) !== 0) throw new Error(`key ${found.toString()} where ${expected.toString()} belongs`);
    if (key === undefined) values.check(number, this.#slab, start + KEY_BYTES, this.#at[index + 1]);
    else values.check(number, this.#values[index]);
  }
}
