// A lease that keeps itself alive: it is renewed when a third of its time is over, through whichever member answers. Its signal is aborted when it is lost,
// or may be: then whatever was held by it is no longer held.
import { etcdserverpb as pb } from '@distrokv/proto';
import { ClientError } from './errors.ts';
import { LinkedSignal } from './linked.ts';
import { nowMs, pause } from './pause.ts';
import type { Pool } from './pool.ts';

export interface LeaseOptions {
  /** Seconds (default 60); the server may grant more. */
  readonly ttl?: number;
  /** The id to give to it; default: the server picks one. */
  readonly id?: bigint;
  /** Ends the renewing. The lease then lives for the rest of its time. */
  readonly signal?: AbortSignal;
}

export interface Lease extends AsyncDisposable {
  readonly id: bigint;
  /** Seconds, as granted. */
  readonly ttl: number;
  /** Aborted when the lease has ended, when it could not be renewed in time, and by `revoke`. Its reason is a ClientError `lost`. */
  readonly signal: AbortSignal;
  /** Ends it at once; its keys are deleted. */
  revoke(): Promise<void>;
}

const DEFAULT_TTL_SECONDS = 60;
/** After a renewal that failed. */
const RETRY_MS = 200;

export async function grantLease(pool: Pool, { ttl = DEFAULT_TTL_SECONDS, id = 0n, signal }: LeaseOptions): Promise<Lease> {
  const call = signal ? { signal } : {};
  const askedMs = nowMs();
  const granted = await pool.call(pb.Lease.methods.leaseGrant, { id, ttl }, 'write', call);
  const lost = new AbortController();
  void renewForEver(pool, granted, askedMs, lost, signal);
  const revoke = async (): Promise<void> => {
    lost.abort(new ClientError('lost', 'the lease was revoked'));
    await pool.call(pb.Lease.methods.leaseRevoke, { id: granted.id }, 'write', {});
  };
  return { id: granted.id, ttl: granted.ttl, signal: lost.signal, revoke, [Symbol.asyncDispose]: revoke };
}

/** Until the lease is `lost`, or the signal says that it is enough. */
async function renewForEver(
  pool: Pool,
  { id, ttl }: pb.LeaseGrantResponse,
  askedMs: number,
  lost: AbortController,
  enough: AbortSignal | undefined,
): Promise<void> {
  using either = new LinkedSignal(lost.signal, enough);
  const done = either.signal;
  const ttlMs = ttl * 1000;
  /** Counted from when the renewal was asked for: the server's clock for it began later. */
  let endsMs = askedMs + ttlMs;
  let waitMs = ttlMs / 3;
  while (!done.aborted) {
    await pause(Math.min(waitMs, Math.max(0, endsMs - nowMs())), done);
    if (done.aborted) return;
    const startedMs = nowMs();
    if (startedMs >= endsMs) return lost.abort(new ClientError('lost', `no server renewed the lease within its ${ttl} s`));
    const left = await renewOnce(pool, id, Math.min(ttlMs / 3, endsMs - startedMs)).catch(() => undefined);
    if (left === 0) return lost.abort(new ClientError('lost', 'the lease has ended'));
    if (left === undefined) pool.moveOn();
    else endsMs = startedMs + left * 1000;
    waitMs = left === undefined ? RETRY_MS : (left * 1000) / 3;
  }
}

/** The seconds that a renewal gives; 0: there is no such lease. Throws when nobody answers. */
export async function renewOnce(pool: Pool, id: bigint, timeoutMs: number): Promise<number> {
  const stream = pool.stream(pb.Lease.methods.leaseKeepAlive, { timeoutMs });
  try {
    stream.send({ id });
    for await (const { ttl } of stream.responses) return ttl;
    throw new ClientError('no-answer', 'the server ended the stream of renewals');
  } catch (error) {
    throw pool.explain(error);
  } finally {
    stream.cancel();
  }
}
