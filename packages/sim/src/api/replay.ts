// Performs the committed commands on the model of the API, one after the other: what every call should have been answered, what every revision was, and
// when each lease ended. Of time the replay knows what the log knows: the ticks of the lease clock (docs/05, "Leases: time without a clock").
import type { Call, Reply } from './calls.ts';
import type { Committed, Tick } from './committed-log.ts';
import { ApiModel } from './model.ts';

/** A tick moves the lease clock on by no more, and ends no more leases; a lease lives for so much longer than its TTL on that clock. */
const MAX_TICK_MS = 1000;
const LEASES_PER_TICK = 50;

export interface LeaseEnd {
  readonly lease: bigint;
  /** Seconds. */
  readonly ttl: number;
  /** The command that granted or renewed it last, by its position, and the one that ended it. */
  readonly renewedAt: number;
  readonly endedAt: number;
}

export interface Step {
  /** From 1: position p is the state after the p-th command. Position 0 is the fresh store. */
  readonly position: number;
  readonly committed: Committed;
  /** Of a command of a client. */
  readonly call: Call | undefined;
  readonly reply: Reply | undefined;
}

export class Replay {
  readonly model: ApiModel = new ApiModel();
  /** Leases that ended by themselves. */
  readonly ends: LeaseEnd[] = [];
  /** By position: the store's revision and its compaction. */
  readonly revisions: number[] = [1];
  readonly compactions: number[] = [-1];
  readonly #leases = new Map<bigint, { endsMs: number; renewedAt: number }>();
  #clockMs = 0;

  /** By lease: the position of its last renewal. */
  get renewals(): ReadonlyMap<bigint, { readonly renewedAt: number }> {
    return this.#leases;
  }

  step(committed: Committed): Step {
    const position = this.revisions.length;
    const { command } = committed;
    let reply: Reply | undefined;
    if (command?.kind === 'tick') this.#tick(command, position);
    else if (command) {
      reply = this.model.perform(command);
      this.#note(command, reply, position);
    }
    this.revisions.push(this.model.revision);
    this.compactions.push(this.model.compactRevision);
    return { position, committed, call: command?.kind === 'tick' ? undefined : command, reply };
  }

  #note(call: Call, reply: Reply, position: number): void {
    if (reply.kind === 'error') return;
    if (call.kind === 'lease-grant' || call.kind === 'lease-keep-alive') {
      const { id } = call.request;
      const ttl = this.model.ttlOf(id);
      if (ttl !== undefined) this.#leases.set(id, { endsMs: this.#clockMs + MAX_TICK_MS + ttl * 1000, renewedAt: position });
    }
    if (call.kind === 'lease-revoke') this.#leases.delete(call.request.id);
  }

  /** One that starts from another reading than the clock's came too late, and does nothing. */
  #tick({ fromMs, toMs }: Tick, position: number): void {
    if (fromMs !== this.#clockMs || toMs < fromMs) return;
    this.#clockMs = Math.min(toMs, fromMs + MAX_TICK_MS);
    const due = [...this.#leases]
      .filter(([, { endsMs }]) => endsMs <= this.#clockMs)
      .sort(([a, one], [b, other]) => one.endsMs - other.endsMs || (a < b ? -1 : 1))
      .slice(0, LEASES_PER_TICK);
    for (const [lease, { renewedAt }] of due) {
      this.ends.push({ lease, ttl: this.model.ttlOf(lease) ?? 0, renewedAt, endedAt: position });
      this.#leases.delete(lease);
      this.model.expire(lease);
    }
  }
}
