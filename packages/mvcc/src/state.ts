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
}

export const STATE_KEY: Uint8Array = utf8('state');
const FORMAT = 1;

export function freshState(): StoreState {
  return { appliedIndex: logIndex(0), appliedTerm: term(0), revision: revision(1) };
}

export function encodeState(state: StoreState): Uint8Array {
  const fields = [FORMAT, state.appliedIndex, state.appliedTerm, state.revision];
  const out = new Uint8Array(fields.reduce((sum, n) => sum + varintLength(n), 0));
  let at = 0;
  for (const n of fields) at = writeVarint(out, at, n);
  return out;
}

export function decodeState(bytes: Uint8Array): StoreState {
  const reader = new VarintReader(bytes);
  const format = reader.varint();
  const state = { appliedIndex: logIndex(reader.varint()), appliedTerm: term(reader.varint()), revision: revision(reader.varint()) };
  if (!reader.ok || !reader.done || format !== FORMAT || state.revision < 1)
    throw new StoreError('corrupt', 'the state record of the store does not decode');
  return state;
}
