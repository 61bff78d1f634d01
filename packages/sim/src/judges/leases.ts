// Leases against the world's own clock. A lease does not end before its TTL has passed since a client last asked for it, or for its renewal, and was
// heard; it does end, a bounded time after, once somebody leads; and what a member says is left of it is not less than that.
import type { etcdserverpb as pb } from '@distrokv/proto';
import { describeCall } from '../api/calls.ts';
import type { LeaseEnd } from '../api/replay.ts';
import { Violation } from '../violation.ts';
import type { Asked } from './asked.ts';

/** A renewal is a command of the log that granted a lease, or renewed it. */
export interface Renewal {
  readonly lease: bigint;
  /** Seconds. */
  readonly ttl: number;
  readonly position: number;
  /** Who asked for it; undefined if that is not known. */
  readonly startMs: number | undefined;
  /** When it was first seen to be committed. */
  readonly seenMs: number;
}

export interface LeaseTimes {
  readonly renewals: readonly Renewal[];
  readonly ends: readonly LeaseEnd[];
  /** By position, from 1: when the command was first seen to be committed. */
  readonly seenMs: (position: number) => number;
  /** How fast the quickest and the slowest clock of a member runs. */
  readonly rates: readonly [slowest: number, quickest: number];
  /** Nothing has been in the way of a leader since then, and now is the end. */
  readonly calmSinceMs: number;
  readonly endMs: number;
}

/** Ticks come every half second, and the first of them may lie before a renewal: so much longer may a lease live in a calm cluster. */
const LATE_MS = 2500;
/** A disturbance of the calm: another leader was elected, and let clients find it first. */
const CHANGE_MS = 5000;

export function judgeLeases(times: LeaseTimes, alive: ReadonlySet<bigint>): void {
  const [slowest, quickest] = times.rates;
  const byPosition = new Map(times.renewals.map((renewal) => [renewal.position, renewal]));
  for (const { lease, ttl, renewedAt, endedAt } of times.ends) {
    const startMs = byPosition.get(renewedAt)?.startMs;
    const livedMs = times.seenMs(endedAt) - (startMs ?? -Infinity);
    if (livedMs < (ttl * 1000) / quickest)
      throw new Violation('lease', `lease ${lease} with a TTL of ${ttl} s ended ${(livedMs / 1000).toFixed(3)} s after it was asked for`);
  }
  const latest = new Map(times.renewals.map((renewal) => [renewal.lease, renewal]));
  for (const { lease, ttl, seenMs } of latest.values()) {
    const restedMs = times.endMs - Math.max(seenMs, times.calmSinceMs);
    if (alive.has(lease) && restedMs > (ttl * 1000 + LATE_MS) / slowest + CHANGE_MS)
      throw new Violation(
        'lease',
        `lease ${lease} with a TTL of ${ttl} s has not ended, ${(restedMs / 1000).toFixed(1)} s after it was renewed`,
      );
  }
}

/** What a client was told is left of a lease. `place`: where in the log that was true. */
export function judgeTimeToLive(asked: Asked, told: pb.LeaseTimeToLiveResponse, place: number, times: LeaseTimes): void {
  if (told.ttl < 0) return;
  const renewal = times.renewals.findLast(({ lease, position }) => lease === told.id && position <= place);
  if (!renewal) return;
  const leastSeconds = Math.floor((renewal.ttl * 1000 - (asked.endMs - (renewal.startMs ?? -Infinity)) * times.rates[1]) / 1000);
  if (told.ttl > told.grantedTTL || told.ttl < leastSeconds)
    throw new Violation(
      'lease',
      `${describeCall(asked.call)} was told that ${told.ttl} s are left; ${leastSeconds} to ${told.grantedTTL} s were`,
    );
}
