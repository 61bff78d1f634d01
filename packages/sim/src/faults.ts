// What can go wrong, as data: a schedule of faults can be printed, played again, and made smaller.
import type { CrashMode, FsErrorCode, FsOperationKind } from '@distrokv/env';
import { unreachable } from '@distrokv/base';
import type { Message } from '@distrokv/raft';

/** Stands for whoever leads when the fault strikes. */
export const LEADER = -1;

export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'crash'; readonly machine: number; readonly mode: CrashMode; readonly downMs: number }
  /** The process dies, and the machine lives on: what was written is there, and what was not synced may still be lost later. */
  | { readonly kind: 'kill'; readonly machine: number; readonly downMs: number }
  /** In the midst of the n-th change of the disk from then on. */
  | {
      readonly kind: 'crash-at-change';
      readonly machine: number;
      readonly changes: number;
      readonly mode: CrashMode;
      readonly downMs: number;
    }
  /** In the moment when it gives the network a message of this kind, which still leaves, or does not. */
  | {
      readonly kind: 'crash-at-message';
      readonly machine: number;
      readonly message: Message['kind'];
      readonly leaves: boolean;
      readonly mode: CrashMode;
      readonly downMs: number;
    }
  | { readonly kind: 'power-cut'; readonly mode: CrashMode; readonly downMs: number }
  | { readonly kind: 'restart'; readonly machine: number; readonly downMs: number }
  | { readonly kind: 'pause'; readonly machine: number; readonly forMs: number }
  /** What one side sends the other does not arrive; with `both`, nor the other way. */
  | {
      readonly kind: 'partition';
      readonly from: readonly number[];
      readonly to: readonly number[];
      readonly both: boolean;
      readonly forMs: number;
    }
  | { readonly kind: 'clog'; readonly from: number; readonly to: number; readonly forMs: number }
  | { readonly kind: 'slow-disk'; readonly machine: number; readonly callMs: number; readonly forMs: number }
  | {
      readonly kind: 'disk-trouble';
      readonly machine: number;
      readonly code: FsErrorCode;
      readonly calls: readonly FsOperationKind[];
      readonly chance: number;
      readonly forMs: number;
    }
  | { readonly kind: 'rot'; readonly machine: number; readonly what: 'flip' | 'misdirect'; readonly seed: number }
  | { readonly kind: 'lose-disk'; readonly machine: number }
  | { readonly kind: 'clock-jump'; readonly machine: number; readonly byMs: number }
  | { readonly kind: 'move-leader'; readonly to: number }
  /** A fight over who leads, in several moves; see world/duels.ts. */
  | { readonly kind: 'duel'; readonly how: 'cut' | 'pause' | 'lose' | 'split' | 'stale' | 'lease'; readonly seed: number }
  /** An operator adds a machine that was none of the cluster, and starts it. */
  | { readonly kind: 'add-member'; readonly machine: number; readonly asLearner: boolean }
  | { readonly kind: 'promote-member'; readonly machine: number }
  | { readonly kind: 'remove-member'; readonly machine: number }
  /** A machine loses its disk, and comes back with an empty one to take its own place. */
  | { readonly kind: 'rejoin'; readonly machine: number; readonly downMs: number }
);

export type FaultKind = Fault['kind'];

export function describeFault(fault: Fault): string {
  const name = (machine: number): string => (machine === LEADER ? 'the leader' : `n${machine + 1}`);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  switch (fault.kind) {
    case 'crash':
      return `crash ${name(fault.machine)} (unsynced: ${fault.mode}) for ${seconds(fault.downMs)}`;
    case 'kill':
      return `kill ${name(fault.machine)} for ${seconds(fault.downMs)}`;
    case 'crash-at-change':
      return `crash ${name(fault.machine)} at its disk's ${fault.changes}. change (unsynced: ${fault.mode}) for ${seconds(fault.downMs)}`;
    case 'crash-at-message':
      return `crash ${name(fault.machine)} at its next ${fault.message}, which ${fault.leaves ? 'leaves' : 'is lost'} (unsynced: ${fault.mode}) for ${seconds(fault.downMs)}`;
    case 'power-cut':
      return `cut the power of all (unsynced: ${fault.mode}) for ${seconds(fault.downMs)}`;
    case 'restart':
      return `stop ${name(fault.machine)} gracefully for ${seconds(fault.downMs)}`;
    case 'pause':
      return `pause ${name(fault.machine)} for ${seconds(fault.forMs)}`;
    case 'partition':
      return `cut ${fault.from.map(name).join()} ${fault.both ? '⇹' : '⇸'} ${fault.to.map(name).join()} for ${seconds(fault.forMs)}`;
    case 'clog':
      return `hold back what ${name(fault.from)} sends ${name(fault.to)} for ${seconds(fault.forMs)}`;
    case 'slow-disk':
      return `disk of ${name(fault.machine)} takes ${fault.callMs} ms more a call for ${seconds(fault.forMs)}`;
    case 'disk-trouble':
      return `disk of ${name(fault.machine)} fails ${fault.calls.join('/')} with ${fault.code}, chance ${fault.chance.toFixed(2)}, for ${seconds(fault.forMs)}`;
    case 'rot':
      return `${fault.what === 'flip' ? 'flip a bit' : 'misdirect a sector'} on the disk of ${name(fault.machine)}`;
    case 'lose-disk':
      return `lose ${name(fault.machine)} with its disk`;
    case 'clock-jump':
      return `set the wall clock of ${name(fault.machine)} by ${seconds(fault.byMs)}`;
    case 'move-leader':
      return `move leadership to ${name(fault.to)}`;
    case 'duel':
      return `duel of leaders: ${fault.how}`;
    case 'add-member':
      return `add ${name(fault.machine)} as a ${fault.asLearner ? 'learner' : 'voter'}`;
    case 'promote-member':
      return `promote ${name(fault.machine)}`;
    case 'remove-member':
      return `remove ${name(fault.machine)}`;
    case 'rejoin':
      return `lose the disk of ${name(fault.machine)}, which rejoins after ${seconds(fault.downMs)}`;
    default:
      return unreachable(fault, 'fault');
  }
}
