// Branded ids: a Term is never taken for a LogIndex. Indexes, terms and revisions are safe integers (2^53 of
// them outlast any cluster), checked where they enter; ids that clients see in full are 64-bit, hence bigint.
import { AssertionError } from './assert.ts';

declare const brand: unique symbol;
/** `T`, told apart from other `T`s by `Name`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A Raft term (Raft §5.1): 0 before the first election. */
export type Term = Brand<number, 'Term'>;
/** A position in the Raft log; the first entry has index 1, 0 means "before the log". */
export type LogIndex = Brand<number, 'LogIndex'>;
/** A revision of the store: 1 when fresh, then one for each mutating request. */
export type Revision = Brand<number, 'Revision'>;
/** A member of the cluster: any unsigned 64-bit number but 0. */
export type MemberId = Brand<bigint, 'MemberId'>;
/** A cluster: any unsigned 64-bit number but 0. */
export type ClusterId = Brand<bigint, 'ClusterId'>;

const ID_END = 1n << 64n;

/** Asserts that `n` is a whole number in [0, 2^53). */
function natural(n: number, what: string): number {
  // Not an assertion, whose message would be made each time.
  if (Number.isSafeInteger(n) && n >= 0) return n;
  throw new AssertionError(`assertion failed: ${what} is a safe natural number, not ${n}`);
}

export function term(n: number): Term {
  return natural(n, 'a term') as Term;
}

export function logIndex(n: number): LogIndex {
  return natural(n, 'a log index') as LogIndex;
}

export function revision(n: number): Revision {
  return natural(n, 'a revision') as Revision;
}

export function memberId(n: bigint): MemberId {
  if (n >= 0n && n < ID_END) return n as MemberId;
  throw new AssertionError(`assertion failed: a member id is an unsigned 64-bit number, not ${n}`);
}

export function clusterId(n: bigint): ClusterId {
  if (n >= 0n && n < ID_END) return n as ClusterId;
  throw new AssertionError(`assertion failed: a cluster id is an unsigned 64-bit number, not ${n}`);
}

/** An id as etcd prints it: hexadecimal without leading zeros. */
export function hexId(id: bigint): string {
  return id.toString(16);
}
