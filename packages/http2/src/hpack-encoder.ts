// HPACK, writing (RFC 7541). The fields of a HeaderBlock, which serves many calls, enter the dynamic table while there is room; nothing is ever put
// out for another, so the table comes to rest, and from then on a block is a copy of the few bytes that it took the last time. Other
// fields are looked up and else written out.
import { HeaderBlock } from './header-block.ts';
import { FIELD_OVERHEAD, INITIAL_TABLE_BYTES, STATIC_FIELDS, staticNames, staticValues } from './hpack-static.ts';
import { huffmanEncode, huffmanLength } from './huffman.ts';
import type { HeaderList } from './types.ts';

interface Encoded {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Secrets that no intermediary may put into a table of its own (§7.1.3). */
const secret = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);
const MAX_KNOWN_BLOCKS = 256;
const EMPTY: HeaderList = [];

/** Where a block is written: one for all encoders, since none holds it beyond a call. Grows with the largest block. */
let out = new Uint8Array(1024);

/** Index of name and value, and of the name alone. */
const staticFields = new Map<string, Map<string, number>>();
const staticByName = new Map<string, number>();
for (let index = STATIC_FIELDS; index > 0; index--) {
  const name = staticNames[index] as string;
  const values = staticFields.get(name) ?? new Map<string, number>();
  values.set(staticValues[index] as string, index);
  staticFields.set(name, values);
  staticByName.set(name, index);
}

export class HpackEncoder {
  /** Our own limit, whatever the peer allows. */
  readonly #cap: number;
  #maxSize: number;
  #size = 0;
  /** Entries, oldest first, and for each field the number of its insertion. */
  #entries: { readonly name: string; readonly value: string }[] = [];
  #inserted = 0;
  #fields = new Map<string, Map<string, number>>();
  #names = new Map<string, number>();
  /** Smallest size since the last block; undefined if no update is due. */
  #leastSize: number | undefined;
  #version = 0;
  readonly #known = new Map<HeaderBlock, Encoded>();
  #at = 0;

  constructor(maxTableBytes: number) {
    this.#cap = maxTableBytes;
    this.#maxSize = Math.min(INITIAL_TABLE_BYTES, maxTableBytes);
    if (this.#maxSize < INITIAL_TABLE_BYTES) this.#leastSize = this.#maxSize;
  }

  get tableBytes(): number {
    return this.#size;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block says what we make of it (§4.2). */
  setLimit(bytes: number): void {
    const size = Math.min(bytes, this.#cap);
    if (size === this.#maxSize) return;
    this.#maxSize = size;
    this.#leastSize = Math.min(this.#leastSize ?? size, size);
    this.#version++;
    while (this.#size > this.#leastSize) this.#evict();
  }

  /** The block's bytes, valid until the next call. */
  encode(headers: HeaderBlock | HeaderList, extra: HeaderList = EMPTY): Uint8Array {
    if (headers instanceof HeaderBlock && extra.length === 0 && this.#leastSize === undefined) {
      const known = this.#known.get(headers);
      if (known !== undefined && known.version === this.#version) return known.bytes;
    }
    this.#at = 0;
    if (this.#leastSize !== undefined) this.#writeUpdates(this.#leastSize);
    if (headers instanceof HeaderBlock) this.#writeBlock(headers);
    else this.#writeFields(headers, false);
    this.#writeFields(extra, false);
    return out.subarray(0, this.#at);
  }

  #writeBlock(block: HeaderBlock): void {
    const known = this.#known.get(block);
    if (known !== undefined && known.version === this.#version) {
      this.#reserve(known.bytes.length);
      out.set(known.bytes, this.#at);
      this.#at += known.bytes.length;
      return;
    }
    const from = this.#at;
    const version = this.#version;
    this.#writeFields(block.list, true);
    if (this.#version !== version) return; // These bytes insert; the next time there will be other ones.
    if (this.#known.size >= MAX_KNOWN_BLOCKS) this.#known.clear();
    this.#known.set(block, { version, bytes: out.slice(from, this.#at) });
  }

  #writeUpdates(least: number): void {
    this.#reserve(12);
    if (least < this.#maxSize) this.#writeInteger(0x20, 0x1f, least);
    this.#writeInteger(0x20, 0x1f, this.#maxSize);
    this.#leastSize = undefined;
  }

  #writeFields(list: HeaderList, keep: boolean): void {
    for (let i = 0; i < list.length; i += 2) this.#writeField(list[i] as string, list[i + 1] as string, keep);
  }

  #writeField(name: string, value: string, keep: boolean): void {
    this.#reserve(name.length + value.length + 24);
    const index = staticFields.get(name)?.get(value) ?? this.#indexOf(this.#fields.get(name)?.get(value));
    if (index !== undefined) {
      this.#writeInteger(0x80, 0x7f, index);
      return;
    }
    const nameIndex = staticByName.get(name) ?? this.#indexOf(this.#names.get(name)) ?? 0;
    const size = name.length + value.length + FIELD_OVERHEAD;
    const isSecret = secret.has(name);
    const insert = keep && !isSecret && this.#size + size <= this.#maxSize;
    if (insert) this.#writeInteger(0x40, 0x3f, nameIndex);
    else this.#writeInteger(isSecret ? 0x10 : 0, 0x0f, nameIndex);
    if (nameIndex === 0) this.#writeString(name);
    this.#writeString(value);
    if (insert) this.#insert(name, value, size);
  }

  /** Index of what was inserted as the `number`th. */
  #indexOf(number: number | undefined): number | undefined {
    return number === undefined ? undefined : STATIC_FIELDS + this.#inserted - number;
  }

  #insert(name: string, value: string, size: number): void {
    const number = this.#inserted++;
    const values = this.#fields.get(name) ?? new Map<string, number>();
    values.set(value, number);
    this.#fields.set(name, values);
    this.#names.set(name, number);
    this.#entries.push({ name, value });
    this.#size += size;
    this.#version++;
  }

  /** Rare: only when the peer makes the table smaller. */
  #evict(): void {
    const { name, value } = this.#entries.shift() as { readonly name: string; readonly value: string };
    const number = this.#inserted - this.#entries.length - 1;
    this.#size -= name.length + value.length + FIELD_OVERHEAD;
    const values = this.#fields.get(name);
    if (values?.get(value) === number) values.delete(value);
    if (values?.size === 0) this.#fields.delete(name);
    if (this.#names.get(name) === number) this.#names.delete(name);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= out.length) return;
    const larger = new Uint8Array(2 * (this.#at + bytes));
    larger.set(out.subarray(0, this.#at));
    out = larger;
  }

  #writeInteger(pattern: number, mask: number, value: number): void {
    if (value < mask) {
      out[this.#at++] = pattern | value;
      return;
    }
    out[this.#at++] = pattern | mask;
    value -= mask;
    for (; value >= 0x80; value >>>= 7) out[this.#at++] = (value & 0x7f) | 0x80;
    out[this.#at++] = value;
  }

  /** Huffman-coded if that is shorter. */
  #writeString(text: string): void {
    const coded = huffmanLength(text);
    if (coded < text.length) {
      this.#writeInteger(0x80, 0x7f, coded);
      this.#at = huffmanEncode(text, out, this.#at);
      return;
    }
    this.#writeInteger(0, 0x7f, text.length);
    for (let i = 0; i < text.length; i++) out[this.#at++] = text.charCodeAt(i);
  }
}
