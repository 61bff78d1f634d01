// An answer that is one line for people and a few named values for programs: what most commands print. Each format writes it in its own way.
import type { etcdserverpb } from '@distrokv/client';

export type RecordValue = string | number | bigint | boolean | Uint8Array | readonly Uint8Array[] | readonly bigint[];

export interface RecordField {
  /** As etcdctl's `-w fields` names it, and as the table's column is called. */
  readonly name: string;
  /** As its `-w json` names it. */
  readonly json: string;
  readonly value: RecordValue;
}

export interface Shown {
  /** `-w simple`, with its newline. */
  readonly text: string;
  readonly header: etcdserverpb.ResponseHeader | undefined;
  readonly fields: readonly RecordField[];
}
