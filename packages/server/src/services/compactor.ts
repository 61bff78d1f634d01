// Compaction, beyond the log: lets the engine give back the space of what was compacted away, and proposes compactions by itself if it is told how
// much of the past to keep (`--auto-compaction-mode`, `--auto-compaction-retention`).
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
  #isDue = false;
  /** Until the space of what was compacted away is given back, as far as that is worth the work. */
  #reclaiming: Promise<void> | undefined;
  #samples: { readonly atMs: number; readonly revision: number }[] = [];
  #compactedMs = 0;
  #stopped = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    context.store.onCompact(() => this.#reclaim());
  }

  start(): void {
    const { env, config } = this.#context;
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
  }

  /** Resolves when what was compacted away by now is off this member's disk. */
  async finished(): Promise<void> {
    await this.#reclaiming;
  }

  /** One run at a time; what is compacted during it has the next. */
  #reclaim(): void {
    this.#isDue = true;
    this.#reclaiming ??= this.#reclaimAll().finally(() => (this.#reclaiming = undefined));
  }

  async #reclaimAll(): Promise<void> {
    const { store, onFatal } = this.#context;
    try {
      while (this.#isDue && !this.#stopped) {
        this.#isDue = false;
        await store.reclaim();
      }
    } catch (error) {
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
