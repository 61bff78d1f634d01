// The data of a `command` entry: the commands that one member proposed in one go, and a mark by which that member knows them again. Byte
// by byte in docs/format/store.md:
//   origin (8 bytes, big-endian) | session (4 bytes, big-endian) | sequence (varint) | (length (varint) | command) …
import { MAX_VARINT_BYTES, type MemberId, VarintReader, memberId, writeVarint } from '@distrokv/base';
import { type PlainPut, StoreError } from '@distrokv/mvcc';

/** Who proposed, in which run of its process, and which of that run's proposals it is. */
export interface ProposalMark {
  readonly origin: MemberId;
  readonly session: number;
  readonly sequence: number;
}

const FIXED_BYTES = 12;
const FIRST_BYTES = 64 << 10;
/** More is not kept for the next proposal. */
const MAX_SPARE_BYTES = 2 << 20;

/** Gathers commands: each is copied to where it will lie, once. One writer makes one proposal after the other. */
export class ProposalWriter {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #end = 0;

  begin(mark: ProposalMark): void {
    this.#bytes.writeBigUInt64BE(mark.origin, 0);
    this.#bytes.writeUInt32BE(mark.session, 8);
    this.#end = writeVarint(this.#bytes, FIXED_BYTES, mark.sequence);
  }

  add(command: Uint8Array): void {
    const at = this.#lengthOf(command.length);
    this.#bytes.set(command, at);
    this.#end = at + command.length;
  }

  addPut(put: PlainPut): void {
    const at = this.#lengthOf(put.byteLength);
    this.#end = put.writeTo(this.#bytes, at);
  }

  /** The proposal, of its own memory. */
  finish(): Uint8Array {
    const proposal = Buffer.from(this.#bytes.subarray(0, this.#end));
    if (this.#bytes.length > MAX_SPARE_BYTES) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
    return proposal;
  }

  /** Writes the length of a command, and makes room for it; returns where it goes. */
  #lengthOf(length: number): number {
    const most = this.#end + MAX_VARINT_BYTES + length;
    if (most > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * most);
    return writeVarint(this.#bytes, this.#end, length);
  }
}

/** Walks the commands of a proposal where they lie. */
export class ProposalReader implements ProposalMark {
  readonly data: Uint8Array;
  readonly origin: MemberId;
  readonly session: number;
  readonly sequence: number;
  /** The command at which it stands is `data[start, end)`. */
  start = 0;
  end: number;
  readonly #reader: VarintReader;
  /** How many commands it has passed, that one included. */
  count = 0;

  /** Throws StoreError `corrupt` if there is anything wrong with the whole, so that no command of it is taken for good before that. */
  constructor(data: Uint8Array) {
    const reader = new VarintReader(data);
    const fixed = reader.take(FIXED_BYTES);
    this.sequence = reader.varint();
    this.end = reader.at;
    while (!reader.done) reader.skip(reader.varint());
    if (!reader.ok || fixed.length < FIXED_BYTES) throw new StoreError('corrupt', 'the log holds a proposal that does not decode');
    const view = new DataView(fixed.buffer, fixed.byteOffset);
    this.data = data;
    this.#reader = reader;
    this.origin = memberId(view.getBigUint64(0));
    this.session = view.getUint32(8);
  }

  /** Steps to the next command; false at the end. */
  next(): boolean {
    if (this.end === this.data.length) return false;
    const reader = this.#reader;
    reader.at = this.end;
    const length = reader.varint();
    this.start = reader.at;
    this.end = reader.at + length;
    this.count++;
    return true;
  }
}
