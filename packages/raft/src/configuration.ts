// Who is a member, and who votes (Raft dissertation chapter 4; the paper §6).
//
// Two configurations that differ by more than one voter may have majorities that share nobody, so a change goes through a
// joint one: everything then needs a majority of the old voters and a majority of the new ones. Here that is how every
// change of voters is made, be it of one or of several: one rule, and none of the traps of the one-at-a-time shortcut
// (raft-dev, "bug in single-server membership changes", 2015). Learners do not vote, so changing them needs no joint one.
import type { MemberId } from '@distrokv/base';

/**
 * Invariants (`faultOf`):
 * 1. Each list ascends and names nobody twice; nobody is 0.
 * 2. Nobody is two of voter, learner and joining. (Who is `outgoing` may be any of them, or none and on its way out.)
 * 3. Whoever is named has an entry in `addresses`, and nobody else has.
 */
export interface Configuration {
  /** Those whose votes count. None: this member knows of no cluster yet, and waits to be told by a snapshot. */
  readonly voters: readonly MemberId[];
  /** They get the log and answer nothing that counts. */
  readonly learners: readonly MemberId[];
  /**
   * Learners who are to vote: the leader sees to it as soon as they have the log. So a voter that is added makes the quorum no larger
   * before it can do its part (dissertation §4.2.1).
   */
  readonly joining: readonly MemberId[];
  /** While a change is under way (joint): the voters before it, a majority of whom is needed as well. Else empty. */
  readonly outgoing: readonly MemberId[];
  /** Where each member is reached; Raft itself does not read them. */
  readonly addresses: ReadonlyMap<MemberId, readonly string[]>;
}

/** What a change is to lead to. */
export type TargetConfiguration = Omit<Configuration, 'outgoing'>;

export const NO_CONFIGURATION: Configuration = { voters: [], learners: [], joining: [], outgoing: [], addresses: new Map() };

const ascending = (a: MemberId, b: MemberId): number => (a < b ? -1 : a > b ? 1 : 0);

/** A configuration of these voters, not joint; without addresses each has none. */
export function configurationOf(
  voters: readonly MemberId[],
  learners: readonly MemberId[] = [],
  addresses: ReadonlyMap<MemberId, readonly string[]> = new Map(),
  joining: readonly MemberId[] = [],
): Configuration {
  const all = [...voters, ...learners, ...joining];
  return {
    voters: voters.toSorted(ascending),
    learners: learners.toSorted(ascending),
    joining: joining.toSorted(ascending),
    outgoing: [],
    addresses: new Map(all.toSorted(ascending).map((id) => [id, addresses.get(id) ?? []])),
  };
}

export function isJoint({ outgoing }: Configuration): boolean {
  return outgoing.length > 0;
}

/** Whether this member's vote counts. */
export function votesIn({ voters, outgoing }: Configuration, id: MemberId): boolean {
  return voters.includes(id) || outgoing.includes(id);
}

/** Everybody but `self`, ascending. */
export function peersIn({ addresses }: Configuration, self: MemberId): MemberId[] {
  return [...addresses.keys()].filter((id) => id !== self);
}

/** The step towards `target`: joint if the voters change, else there at once. */
export function stepTowards(current: Configuration, target: TargetConfiguration): Configuration {
  const next = configurationOf(target.voters, target.learners, target.addresses, target.joining);
  if (next.voters.join() === current.voters.join()) return next;
  const staying = [...next.addresses, ...current.voters.filter((id) => !next.addresses.has(id)).map((id) => addressOf(current, id))];
  return { ...next, outgoing: current.voters, addresses: new Map(staying.toSorted(([a], [b]) => ascending(a, b))) };
}

function addressOf({ addresses }: Configuration, id: MemberId): [MemberId, readonly string[]] {
  return [id, addresses.get(id) ?? []];
}

/** What a joint configuration leads to. */
export function leaveJoint({ voters, learners, joining, addresses }: Configuration): Configuration {
  return configurationOf(voters, learners, addresses, joining);
}

/** The step by which those of `ready` that are joining vote. */
export function admit(current: Configuration, ready: readonly MemberId[]): Configuration {
  const joining = current.joining.filter((id) => !ready.includes(id));
  return stepTowards(current, { ...current, voters: [...current.voters, ...ready], joining });
}

/** Which invariant of a Configuration these lists break, or undefined. One without voters is refused, too. */
export function faultOf({ voters, learners, joining, outgoing, addresses }: Configuration): string | undefined {
  if (voters.length === 0) return 'nobody votes';
  for (const list of [voters, learners, joining, outgoing, [...addresses.keys()]]) {
    if (list.some((id, i) => id === 0n || (i > 0 && id <= (list[i - 1] as MemberId))))
      return 'a member is named twice, out of order, or is 0';
  }
  const roles = [...voters, ...learners, ...joining];
  if (new Set(roles).size < roles.length) return 'a member has two roles';
  const named = new Set([...roles, ...outgoing]);
  return named.size === addresses.size && [...named].every((id) => addresses.has(id)) ? undefined : 'addresses and members differ';
}
