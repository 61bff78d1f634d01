// Compaction, beyond the log: deletes what was compacted away a little at a time, and proposes compactions by itself if it is told how much of the
// past to keep (`--auto-compaction-mode`, `--auto-compaction-retention`).
import { type Deferred, deferred } from '@distrokv/base';
import type { Timer } from '@distrokv/env';
import { ApiError } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServiceContext } from './context.ts';

const REVISION_PERIOD_MS = 5 * 60_000;
/** A longer past is compacted this often; a shorter one as often as it is long. */
const MAX_PERIOD_MS = 60 * 60_000;
/** Looks at the revision between two compactions: the past that is kept is right to that part of it. */
const SAMPLES = 10;

export class Compactor {
  readonly #context: ServiceContext;
  #timer: Timer | undefined;
  /** Until what was compacted away is deleted. */
  #purging: Deferred<void> | undefined;
  #samples: { readonly atMs: number; readonly revision: number }[] = [];
  #compactedMs = 0;
  #stopped = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    context.store.onCompact(() => this.#purge());
  }

  start(): void {
    const { env, config } = this.#context;
    this.#purge(); // what an earlier run left
    this.#compactedMs = env.clock.monotonicMs();
    const auto = config.autoCompaction;
    if (auto?.mode === 'revision') this.#timer = env.timers.every(REVISION_PERIOD_MS, () => this.#keepRevisions(auto.retention));
    if (auto?.mode === 'periodic') {
      const periodMs = Math.min(auto.retentionMs, MAX_PERIOD_MS);
      this.#timer = env.timers.every(Math.max(1, periodMs / SAMPLES), () => this.#keepTime(auto.retentionMs, periodMs));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#purging?.resolve();
  }

  /** Resolves when everything that was compacted away by now is deleted here. */
  finished(): Promise<void> {
    return this.#purging?.promise ?? Promise.resolve();
  }

  #purge(): void {
    if (this.#purging || this.#stopped) return;
    this.#purging = deferred();
    void this.#purgeAll(this.#purging);
  }

  async #purgeAll(done: Deferred<void>): Promise<void> {
    const { env, store, onFatal } = this.#context;
    try {
      let more = true;
      while (more && !this.#stopped) {
        const purged = store.purge();
        if (purged.room) await Promise.race([purged.room, done.promise]);
        more = purged.more;
        await env.timers.yield();
      }
      done.resolve();
      this.#purging = undefined;
      if (!this.#stopped) await store.reclaim();
    } catch (error) {
      done.resolve();
      if (!this.#stopped) onFatal(error);
    }
  }

  #keepRevisions(retention: number): void {
    this.#propose(this.#context.store.state.revision - retention);
  }

  #keepTime(retentionMs: number, periodMs: number): void {
    const nowMs = this.#context.env.clock.monotonicMs();
    this.#samples.push({ atMs: nowMs, revision: this.#context.store.state.revision });
    if (nowMs - this.#compactedMs < periodMs) return;
    const last = this.#samples.findLastIndex(({ atMs }) => nowMs - atMs >= retentionMs);
    if (last < 0) return;
    const old = this.#samples.splice(0, last + 1);
    this.#compactedMs = nowMs;
    this.#propose(old.at(-1)?.revision ?? 0);
  }

  /** By the leader alone; each member keeps count, for it may lead when it is time. */
  #propose(revision: number): void {
    const { replica, store, logger } = this.#context;
    if (replica.leader !== replica.id || revision <= store.state.compactRevision || revision < 1) return;
    replica.propose({ kind: 'compact', request: pb.CompactionRequest.create({ revision }) }).then(
      () => logger.info('compacted by itself', { revision }),
      (error: unknown) => {
        if (!(error instanceof ApiError)) logger.warn('could not compact by itself', { revision, error });
      },
    );
  }
}
