// What etcd looks at before it changes voters (`--strict-reconfig-check`): would enough of them be there to go on?
import type { MemberId } from '@distrokv/base';
import type { ServiceContext } from './context.ts';

/** So long a connection must have stood for its member to count. */
const HEALTHY_MS = 5000;

/** Whether, of `voters` and `added` more that have not started yet, a majority has started. One member may become two. */
export function enoughStarted({ store }: ServiceContext, voters: readonly MemberId[], added: number): boolean {
  const started = voters.filter((id) => store.members.some((m) => m.id === id && m.name !== '')).length;
  const all = voters.length + added;
  if (added === 1 && started === 1 && all === 2) return true;
  return started >= Math.floor(all / 2) + 1;
}

/** How many of `voters` have been reached for a while; this member counts. */
export function activeVoters({ env, peers, memberId }: ServiceContext, voters: readonly MemberId[]): number {
  const before = env.clock.monotonicMs() - HEALTHY_MS;
  return voters.filter((id) => id === memberId || (peers.connectedSinceMs(id) ?? Infinity) <= before).length;
}
