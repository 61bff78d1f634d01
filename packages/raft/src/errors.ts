// What can be wrong with what Raft is started from. Nothing after the start throws but assertions.
import { CodedError } from '@distrokv/base';

/**
 * - `bad-options`: the configuration makes no sense.
 * - `corrupt-state`: hard state, log and applied index contradict each other: a disk lost or changed something that was durable.
 */
export type RaftErrorCode = 'bad-options' | 'corrupt-state';

export class RaftError extends CodedError<RaftErrorCode> {}
