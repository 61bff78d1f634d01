// The limits a member runs with, checked once.
import { faultOf } from './configuration.ts';
import { RaftError } from './errors.ts';
import { leaseTimesOf } from './lease.ts';
import type { LeaseTimes } from './lease.ts';
import type { RaftOptions } from './types.ts';

const MIB = 1024 * 1024;

/** RaftOptions' numbers with their defaults filled in. */
export interface Limits {
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly maxAppendBytes: number;
  readonly maxInflightAppends: number;
  readonly maxApplyBytes: number;
  readonly maxUncommittedBytes: number;
  /** Undefined where every read costs a round. */
  readonly lease: LeaseTimes | undefined;
}

/** Throws RaftError `bad-options`. */
export function limitsOf(options: RaftOptions): Limits {
  const limits: Omit<Limits, 'lease'> = {
    electionTicks: options.electionTicks,
    heartbeatTicks: options.heartbeatTicks,
    maxAppendBytes: options.maxAppendBytes ?? MIB,
    maxInflightAppends: options.maxInflightAppends ?? 64,
    maxApplyBytes: options.maxApplyBytes ?? MIB,
    maxUncommittedBytes: options.maxUncommittedBytes ?? 64 * MIB,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RaftError('bad-options', `${name} is a whole number of at least 1, not ${value}`);
  }
  if (limits.electionTicks <= limits.heartbeatTicks) {
    throw new RaftError('bad-options', `electionTicks (${limits.electionTicks}) must exceed heartbeatTicks (${limits.heartbeatTicks})`);
  }
  const { id, configuration } = options;
  if (id === 0n) throw new RaftError('bad-options', 'a member id is not 0');
  const fault = configuration.addresses.size > 0 ? faultOf(configuration) : undefined;
  if (fault !== undefined) throw new RaftError('bad-options', `the configuration makes no sense: ${fault}`);
  return { ...limits, lease: leaseTimesOf(options) };
}
