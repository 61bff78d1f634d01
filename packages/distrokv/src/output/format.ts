// What the client commands print. A format turns an answer into text (or bytes: values are binary) and prints nothing itself.
import type { etcdserverpb } from '@distrokv/client';
import { usage } from '../errors.ts';
import type { Shown } from './record.ts';

export interface EndpointStatus {
  readonly endpoint: string;
  /** The answer, or why there is none. */
  readonly status: etcdserverpb.StatusResponse | Error;
}

export interface EndpointHealth {
  readonly endpoint: string;
  /** Time that a linearizable read took. */
  readonly tookMs: number;
  /** Why it failed; undefined for a healthy endpoint. */
  readonly error: Error | undefined;
}

/** A change of who is a member, and who is one after it. */
export type MemberChange = {
  readonly id: bigint;
  readonly header: etcdserverpb.ResponseHeader | undefined;
  readonly members: readonly etcdserverpb.Member[];
} & (
  | { readonly kind: 'added'; readonly name: string; readonly peerURLs: readonly string[]; readonly isLearner: boolean }
  | { readonly kind: 'removed' | 'updated' | 'promoted' }
);

export interface GetView {
  /** Values only (`simple`). */
  readonly valueOnly: boolean;
  /** The count only (`simple`). */
  readonly countOnly: boolean;
}

export interface Format {
  put(response: etcdserverpb.PutResponse): string | Uint8Array;
  get(response: etcdserverpb.RangeResponse, view: GetView): string | Uint8Array;
  delete(response: etcdserverpb.DeleteRangeResponse): string | Uint8Array;
  endpointStatus(list: readonly EndpointStatus[]): string;
  endpointHealth(list: readonly EndpointHealth[]): string;
  memberList(response: etcdserverpb.MemberListResponse): string;
  /** One response of a watch that has events. */
  watch(response: etcdserverpb.WatchResponse): string | Uint8Array;
  txn(response: etcdserverpb.TxnResponse): string | Uint8Array;
  record(shown: Shown): string;
  memberChange(change: MemberChange): string;
}

export const formatNames = ['simple', 'json', 'table', 'fields'] as const;
export type FormatName = (typeof formatNames)[number];

export function parseFormatName(text: string, what: string): FormatName {
  const name = formatNames.find((one) => one === text);
  if (name === undefined) throw usage(`${what}: ${JSON.stringify(text)} is none of ${formatNames.join(', ')}`);
  return name;
}

/** Loads one format and no other: a table library is not needed for a put. */
export async function loadFormat(name: FormatName, options: { readonly hex: boolean }): Promise<Format> {
  switch (name) {
    case 'simple':
      return (await import('./simple.ts')).simpleFormat(options);
    case 'json':
      return (await import('./json.ts')).jsonFormat;
    case 'table':
      return (await import('./table.ts')).tableFormat(options);
    case 'fields':
      return (await import('./fields.ts')).fieldsFormat;
  }
}

/** Bytes in the units of the SI, as etcdctl shows sizes: "25 kB". */
export function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let size = bytes;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
  const rounded = Math.round(size * 10) / 10;
  return `${unit > 0 && rounded < 10 ? rounded.toFixed(1) : halfToEven(rounded)} ${units[unit]}`;
}

/** As Go prints a number without its fraction: 20.5 is "20", 21.5 is "22". */
function halfToEven(n: number): number {
  const floor = Math.floor(n);
  return n - floor === 0.5 ? floor + (floor % 2) : Math.round(n);
}

/** Whether this endpoint is the leader, by its own account. */
export function isLeader(status: etcdserverpb.StatusResponse): boolean {
  return status.leader !== 0n && status.leader === status.header?.memberId;
}
