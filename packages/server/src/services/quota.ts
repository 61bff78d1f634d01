// How much may be stored. A member whose store is full raises the NOSPACE alarm, upon which all members refuse what would add to it. Once there is
// room again it takes its alarm back, unless it is told to wait for an operator, as etcd does.
import type { Timer } from '@distrokv/env';
import { ApiError } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServiceContext } from './context.ts';

const PERIOD_MS = 1000;
/** An alarm is taken back when the store is below this part of the quota: not at once raised again. */
const ROOM_SHARE = 0.9;

export class Quota {
  readonly #context: ServiceContext;
  #isProposing = false;
  #timer: Timer | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  start(): void {
    if (this.#context.config.autoDisarm ?? true) this.#timer = this.#context.env.timers.every(PERIOD_MS, () => this.#disarm());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Throws ApiError `no-space`, and raises the alarm, if `bytes` more are too many; 0 may always be added. */
  check(bytes: number): void {
    const { config, store } = this.#context;
    if (bytes === 0 || store.sizeBytes + bytes < config.quotaBytes) return;
    this.#propose(pb.AlarmAction.ACTIVATE);
    throw new ApiError('no-space');
  }

  #disarm(): void {
    const { config, memberId, store } = this.#context;
    if (!store.alarms.hasOwn(memberId, pb.AlarmType.NOSPACE) || store.sizeBytes >= ROOM_SHARE * config.quotaBytes) return;
    this.#propose(pb.AlarmAction.DEACTIVATE);
  }

  #propose(action: pb.AlarmAction): void {
    const { memberId, replica, logger, store } = this.#context;
    const isDone = store.alarms.hasOwn(memberId, pb.AlarmType.NOSPACE) === (action === pb.AlarmAction.ACTIVATE);
    if (this.#isProposing || isDone) return;
    this.#isProposing = true;
    const isRaised = action === pb.AlarmAction.ACTIVATE;
    logger.warn(isRaised ? 'the store is full: raising the NOSPACE alarm' : 'the store has room again: taking the NOSPACE alarm back', {});
    replica
      .propose({ kind: 'alarm', request: { action, memberID: memberId, alarm: pb.AlarmType.NOSPACE } })
      .catch((error: unknown) => logger.warn('the alarm could not be told', { error }))
      .finally(() => (this.#isProposing = false));
  }
}
