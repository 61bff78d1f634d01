// The data of a `command` entry: the commands that one member proposed in one go, and a mark by which that member knows them again. Byte
// by byte in docs/format/store.md:
//   origin (8 bytes, big-endian) | session (4 bytes, big-endian) | sequence (varint) | (length (varint) | command) …
import { type MemberId, VarintReader, memberId, varintLength, writeVarint } from '@distrokv/base';
import { StoreError } from '@distrokv/mvcc';

/** Who proposed, in which run of its process, and which of that run's proposals it is. */
export interface ProposalMark {
  readonly origin: MemberId;
  readonly session: number;
  readonly sequence: number;
}

export interface Proposal extends ProposalMark {
  readonly commands: readonly Uint8Array[];
}

const FIXED_BYTES = 12;

export function encodeProposal(proposal: Proposal): Uint8Array {
  let length = FIXED_BYTES + varintLength(proposal.sequence);
  for (const command of proposal.commands) length += varintLength(command.length) + command.length;
  const out = Buffer.allocUnsafe(length);
  out.writeBigUInt64BE(proposal.origin, 0);
  out.writeUInt32BE(proposal.session, 8);
  let at = writeVarint(out, FIXED_BYTES, proposal.sequence);
  for (const command of proposal.commands) {
    at = writeVarint(out, at, command.length);
    out.set(command, at);
    at += command.length;
  }
  return out;
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
