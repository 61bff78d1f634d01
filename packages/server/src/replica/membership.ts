// Who the members are, between the core and the store. The core's configurations come out of the log; the store keeps the one that was
// applied last, so that a restart, or a member that starts from a snapshot, goes on from it; and it keeps what clients are told of members.
import { type LogIndex, type MemberId, defined, logIndex, memberId } from '@distrokv/base';
import { type Store, StoreError } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import {
  type Configuration,
  type Entry,
  NO_CONFIGURATION,
  type TargetConfiguration,
  configurationOf,
  decodeConfiguration,
} from '@distrokv/raft';

export interface AppliedConfiguration {
  readonly configuration: Configuration;
  /** The entry that brought it; 0 for the one that the cluster began with. */
  readonly index: LogIndex;
}

/** The configuration as of what the store has applied; without voters when it has nothing yet. Throws StoreError `corrupt`. */
export function appliedConfiguration(store: Store): AppliedConfiguration {
  const { membership, members } = store;
  if (membership) {
    const configuration = decodeConfiguration(membership.configuration);
    if (!configuration) throw new StoreError('corrupt', 'the configuration in the store does not decode');
    return { configuration, index: membership.index };
  }
  if (members.length === 0) return { configuration: NO_CONFIGURATION, index: logIndex(0) };
  const idsOf = (isLearner: boolean): MemberId[] => members.filter((m) => m.isLearner === isLearner).map((m) => memberId(m.id));
  const addresses = new Map(members.map((m) => [memberId(m.id), m.peerURLs]));
  return { configuration: configurationOf(idsOf(false), idsOf(true), addresses), index: logIndex(0) };
}

/** A `config` entry is applied. Who is on the way out of a joint configuration is a member until that is left. */
export function applyConfiguration(store: Store, { index, data }: Entry): void {
  const { learners, addresses } = defined(decodeConfiguration(data), `the configuration of entry ${index}`);
  const members = [...addresses].map(([id, peerURLs]) =>
    pb.Member.create({ id, peerURLs: [...peerURLs], isLearner: learners.includes(id) }),
  );
  store.setMembership({ index, configuration: data }, members);
}

/** Whether a configuration is what a change was to lead to. */
export function isThere(configuration: Configuration, target: TargetConfiguration): boolean {
  const text = ({ voters, learners, joining, addresses }: TargetConfiguration): string =>
    [voters.join(), learners.join(), joining.join(), ...[...addresses].map(([id, urls]) => `${id}=${urls.join()}`)].join(';');
  return configuration.outgoing.length === 0 && text(configuration) === text(target);
}
