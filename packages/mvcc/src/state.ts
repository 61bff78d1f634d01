// Where the store stands, kept in one record that is written in the same atomic unit as the data it speaks of: after a crash the
// log is applied again from exactly here, neither twice nor with a gap. Byte by byte in docs/format/store.md.
import {
  type LogIndex,
  type Revision,
  type Term,
  VarintReader,
  logIndex,
  revision,
  term,
  utf8,
  varintLength,
  writeVarint,
} from '@distrokv/base';
import { StoreError } from './errors.ts';

export interface StoreState {
  /** The last log entry that the data contains, and its term. */
  readonly appliedIndex: LogIndex;
  readonly appliedTerm: Term;
  /** The revision of the last change; a fresh store is at 1. */
  readonly revision: Revision;
  /** History begins here: what was before it can no longer be read. -1: the store was never compacted. */
  readonly compactRevision: number;
  /** Milliseconds that the leaders have counted so far for the leases (`leases.ts`). */
  readonly leaseClockMs: number;
}

export const STATE_KEY: Uint8Array = utf8('state');
const FORMAT = 2;
/** Without the last two fields. */
const FORMAT_BEFORE_COMPACTION = 1;

export function freshState(): StoreState {
  return { appliedIndex: logIndex(0), appliedTerm: term(0), revision: revision(1), compactRevision: -1, leaseClockMs: 0 };
}

export function encodeState(state: StoreState): Uint8Array {
  const fields = [FORMAT, state.appliedIndex, state.appliedTerm, state.revision, state.compactRevision + 1, state.leaseClockMs];
  const out = new Uint8Array(fields.reduce((sum, n) => sum + varintLength(n), 0));
  let at = 0;
  for (const n of fields) at = writeVarint(out, at, n);
  return out;
}

export function decodeState(bytes: Uint8Array): StoreState {
  const reader = new VarintReader(bytes);
  const format = reader.varint();
  const isOld = format === FORMAT_BEFORE_COMPACTION;
  const state = {
    appliedIndex: logIndex(reader.varint()),
    appliedTerm: term(reader.varint()),
    revision: revision(reader.varint()),
    compactRevision: isOld ? -1 : reader.varint() - 1,
    leaseClockMs: isOld ? 0 : reader.varint(),
  };
  if (!reader.ok || !reader.done || (format !== FORMAT && !isOld) || state.revision < 1)
    throw new StoreError('corrupt', 'the state record of the store does not decode');
  return state;
}
