// Changes of who is a member. A change is planned on the configuration that this member has applied and is taken only while that one is in
// force, so what the plan looked at still holds when it is taken, on whichever member it was made. It may be proposed any number of times.
import type { LogIndex } from '@distrokv/base';
import type { Timers } from '@distrokv/env';
import { type Configuration, type ConfigurationResult, type TargetConfiguration, configurationOf, isJoint } from '@distrokv/raft';
import { timedOut } from './errors.ts';
import { type AppliedConfiguration, isThere } from './membership.ts';

/** A proposal may get lost, or come at a moment when no change can begin. */
const PROPOSE_AGAIN_MS = 200;

export interface MembershipChangesOptions {
  readonly timers: Timers;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly applied: () => AppliedConfiguration;
  readonly linearize: () => Promise<void>;
  readonly propose: (basis: LogIndex, target: Configuration) => ConfigurationResult;
}

/** What a change leads to, from where it is planned; throws what the asker is to be told when it cannot be. */
export type MembershipPlan = (now: Configuration) => TargetConfiguration;

export class MembershipChanges {
  readonly #options: MembershipChangesOptions;
  #waiters: (() => void)[] = [];
  /** Those under way, and whether their target was there. It may have been left again before anybody looks. */
  readonly #targets = new Map<TargetConfiguration, boolean>();

  constructor(options: MembershipChangesOptions) {
    this.#options = options;
  }

  /** Resolves when the change is applied here, and not joint any more. Rejects with what the plan throws, or GrpcError `unavailable` after the time for a request. */
  async change(plan: MembershipPlan): Promise<void> {
    const { applied, linearize, now, timeoutMs } = this.#options;
    const deadlineMs = now() + timeoutMs;
    for (;;) {
      await linearize(); // Or a plan might be made on what is long over.
      const { configuration, index } = applied();
      if (isJoint(configuration)) {
        await this.#next(deadlineMs);
        continue;
      }
      const { voters, learners, joining, addresses } = plan(configuration);
      const target = configurationOf(voters, learners, addresses, joining);
      this.#targets.set(target, false);
      try {
        await this.#propose(index, target, deadlineMs);
        if (this.#targets.get(target) === true) return;
      } finally {
        this.#targets.delete(target);
      }
    }
  }

  /** Another configuration was applied. */
  applied(): void {
    const { configuration } = this.#options.applied();
    for (const target of this.#targets.keys()) if (isThere(configuration, target)) this.#targets.set(target, true);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves when the configuration after `basis` is there, and not joint: that of `target`, or another that came first. */
  async #propose(basis: LogIndex, target: Configuration, deadlineMs: number): Promise<void> {
    const { applied, propose } = this.#options;
    while (applied().index === basis) {
      propose(basis, target);
      await this.#next(deadlineMs);
    }
    while (isJoint(applied().configuration)) await this.#next(deadlineMs);
  }

  /** Waits for the next configuration, or a little. */
  async #next(deadlineMs: number): Promise<void> {
    const { now, timers } = this.#options;
    if (now() >= deadlineMs) throw timedOut();
    await new Promise<void>((resolve) => {
      const timer = timers.after(PROPOSE_AGAIN_MS, resolve);
      this.#waiters.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
