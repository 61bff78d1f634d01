// The two records of the Raft log, byte by byte in docs/format/raft-log.md. Every field is a varint unless said otherwise.
//   header, the first of a segment: 1 | format | cluster id (8 bytes) | member id (8 bytes) | index and term just before the segment | hard state
//   batch: 2 | 0 or 1: a hard state follows | [hard state] | count | index of the first | count × (term | kind | length | data)
//   hard state: term | 0 or 1: a vote follows | [vote (8 bytes)] | commit
// Ids are big-endian.
import {
  type ClusterId,
  type LogIndex,
  type MemberId,
  type Term,
  VarintReader,
  clusterId,
  logIndex,
  memberId,
  term,
  varintLength,
  writeVarint,
} from '@distrokv/base';
import { RECORD_HEADER_BYTES } from '@distrokv/lsm';
import type { Entry, EntryKind, HardState } from '@distrokv/raft';
import { ServerError } from '../errors.ts';

/** Whose log it is. */
export interface LogIdentity {
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
}

export interface SegmentHeader extends LogIdentity {
  /** The last entry before the segment, which the segment itself never overwrites. */
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly hardState: HardState;
}

export interface Batch {
  readonly hardState: HardState | undefined;
  /** Contiguous; they replace whatever the log had from the first one's index on. */
  readonly entries: readonly Entry[];
}

const HEADER = 1;
const BATCH = 2;
const FORMAT = 1;
const kinds: readonly EntryKind[] = ['noop', 'command', 'config'];

/** A record for `LogWriter.append`: room for its header, then the payload. */
export function encodeHeader(header: SegmentHeader): Uint8Array {
  const { previousIndex, previousTerm, hardState } = header;
  const out = record(1 + 1 + 16 + varintLength(previousIndex) + varintLength(previousTerm) + hardStateLength(hardState));
  let at = RECORD_HEADER_BYTES;
  out[at++] = HEADER;
  out[at++] = FORMAT;
  at = out.writeBigUInt64BE(header.clusterId, at);
  at = out.writeBigUInt64BE(header.memberId, at);
  at = writeVarint(out, at, previousIndex);
  at = writeVarint(out, at, previousTerm);
  writeHardState(out, at, hardState);
  return out;
}

/** A record for `LogWriter.append`: room for its header, then the payload. */
export function encodeBatch({ hardState, entries }: Batch): Uint8Array {
  const first = entries[0];
  let length = 2 + (hardState ? hardStateLength(hardState) : 0) + varintLength(entries.length) + (first ? varintLength(first.index) : 0);
  for (const entry of entries) length += varintLength(entry.term) + 1 + varintLength(entry.data.length) + entry.data.length;
  const out = record(length);
  let at = RECORD_HEADER_BYTES;
  out[at++] = BATCH;
  out[at++] = hardState ? 1 : 0;
  if (hardState) at = writeHardState(out, at, hardState);
  at = writeVarint(out, at, entries.length);
  if (first) at = writeVarint(out, at, first.index);
  for (const entry of entries) {
    at = writeVarint(out, at, entry.term);
    out[at++] = kinds.indexOf(entry.kind);
    at = writeVarint(out, at, entry.data.length);
    out.set(entry.data, at);
    at += entry.data.length;
  }
  return out;
}

function record(payloadLength: number): Buffer {
  return Buffer.allocUnsafe(RECORD_HEADER_BYTES + payloadLength);
}

function hardStateLength(state: HardState): number {
  return varintLength(state.term) + (state.vote === undefined ? 1 : 9) + varintLength(state.commit);
}

function writeHardState(out: Buffer, at: number, state: HardState): number {
  at = writeVarint(out, at, state.term);
  out[at++] = state.vote === undefined ? 0 : 1;
  if (state.vote !== undefined) at = out.writeBigUInt64BE(state.vote, at);
  return writeVarint(out, at, state.commit);
}

export type LogRecord = ({ readonly kind: 'header' } & SegmentHeader) | ({ readonly kind: 'batch' } & Batch);

/** Throws ServerError `corrupt` or `newer-format`; `where` names the file and offset. Data of entries is copied. */
export function decodeRecord(payload: Uint8Array, where: string): LogRecord {
  const reader = new VarintReader(payload);
  const kind = reader.varint();
  if (kind === HEADER) {
    if (reader.varint() !== FORMAT)
      throw new ServerError('newer-format', `${where}: a Raft log of a newer format: start the version that wrote it`);
    const identity = { clusterId: clusterId(readId(reader)), memberId: memberId(readId(reader)) };
    const previous = { previousIndex: logIndex(reader.varint()), previousTerm: term(reader.varint()) };
    const hardState = readHardState(reader);
    if (reader.ok && reader.done) return { kind: 'header', ...identity, ...previous, hardState };
  }
  if (kind === BATCH) {
    const hardState = reader.varint() === 1 ? readHardState(reader) : undefined;
    const entries = readEntries(reader);
    if (reader.ok && reader.done) return { kind: 'batch', hardState, entries };
  }
  throw new ServerError('corrupt', `${where}: a record of the Raft log that passes its checksum and does not decode: nothing was changed`);
}

function readEntries(reader: VarintReader): Entry[] {
  const entries: Entry[] = [];
  const count = reader.varint();
  const first = count > 0 ? reader.varint() : 0;
  for (let i = 0; i < count && reader.ok; i++) {
    const entryTerm = term(reader.varint());
    const kind = kinds[reader.take(1)[0] ?? kinds.length];
    const data = Buffer.from(reader.take(reader.varint()));
    if (kind === undefined) reader.ok = false;
    else entries.push({ index: logIndex(first + i), term: entryTerm, kind, data });
  }
  return entries;
}

function readId(reader: VarintReader): bigint {
  const bytes = reader.take(8);
  return bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) : 0n;
}

function readHardState(reader: VarintReader): HardState {
  const inTerm = term(reader.varint());
  const vote = reader.varint() === 1 ? memberId(readId(reader)) : undefined;
  return { term: inTerm, vote, commit: logIndex(reader.varint()) };
}
