// Majorities: any two of them share a member, which is why Raft is safe (Raft §5.2, §5.4). In a joint configuration a quorum
// is a majority of the new voters that holds a majority of the old ones, too (Raft §6).
import type { MemberId } from '@distrokv/base';
import { isJoint } from './configuration.ts';
import type { Configuration } from './configuration.ts';

/** How many of `voters` are a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** The greatest number that a quorum has reached, given what each voter has; 0 where nobody votes. */
export function reachedByQuorum(configuration: Configuration, reached: (voter: MemberId) => number): number {
  const { voters, outgoing } = configuration;
  const byVoters = reachedByMajority(voters.map(reached));
  return isJoint(configuration) ? Math.min(byVoters, reachedByMajority(outgoing.map(reached))) : byVoters;
}

/** Whether those for whom `has` holds are a quorum. */
export function isQuorum(configuration: Configuration, has: (voter: MemberId) => boolean): boolean {
  return reachedByQuorum(configuration, (voter) => (has(voter) ? 1 : 0)) === 1;
}

/** The greatest number that a majority has reached. Sorts `reached` in place. */
function reachedByMajority(reached: number[]): number {
  // By insertion: a handful of numbers, for every answer that a leader gets.
  for (let i = 1; i < reached.length; i++) {
    const value = reached[i] as number;
    let at = i;
    for (; at > 0 && (reached[at - 1] as number) < value; at--) reached[at] = reached[at - 1] as number;
    reached[at] = value;
  }
  return reached[majority(reached.length) - 1] ?? 0;
}
