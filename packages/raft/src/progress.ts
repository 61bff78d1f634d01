// What a leader knows of one follower, and what it may send to it (nextIndex and matchIndex of Raft figure 2).
//
// `probe`: the leader doesn't know where the logs agree; it sends one append at a time and waits for the answer.
// `replicate`: it knows; it sends append after append without waiting (pipelining), counting on each to succeed, up to a
// number under way. A refusal leads back to `probe`. A message may be lost without a trace, so heartbeats wake both up.
// `snapshot`: it needs what the leader's log no longer has; nothing is sent until the driver says what came of the snapshot.
import { assert } from '@distrokv/base';
import type { LogIndex } from '@distrokv/base';

/**
 * Invariants:
 * 1. match < next.
 * 2. match never decreases.
 * 3. In `replicate`, the appends under way end at growing indexes in (match, next); there are at most `maxInflight`.
 */
export class Progress {
  readonly #maxInflight: number;
  #mode: 'probe' | 'replicate' | 'snapshot' = 'probe';
  #match: LogIndex;
  #next: LogIndex;
  /** In `probe`: an append is under way. */
  #probing = false;
  /** In `replicate`: the last index of each append under way. */
  #inflight: LogIndex[] = [];
  /** The highest commit index sent. */
  #commitSent = 0 as LogIndex;
  /** The leader's tick in which the follower answered last. */
  #heardAtTick: number;
  /** No answer to an append since the last periodic heartbeat. */
  #silent = false;
  /** An append, even an empty one, is to find out whether earlier ones were lost. */
  #nudged = false;

  /** `match` is what the follower is known to have in any case; the first try goes at the end of the leader's log. */
  constructor(match: LogIndex, next: LogIndex, maxInflight: number, tick: number) {
    assert(match < next, 'progress 1: match < next');
    this.#heardAtTick = tick;
    this.#match = match;
    this.#next = next;
    this.#maxInflight = maxInflight;
  }

  /** The follower's log equals the leader's up to here, durably. */
  get match(): LogIndex {
    return this.#match;
  }

  /** When it answered last; when its leader was elected, if it has not yet. */
  get heardAtTick(): number {
    return this.#heardAtTick;
  }

  /** It answered something of this term, whatever. */
  heard(tick: number): void {
    this.#heardAtTick = tick;
  }

  /** The first entry to send next. */
  get next(): LogIndex {
    return this.#next;
  }

  /** Whether an append should go out now: with entries, or with a commit index that is news, or to find out about lost ones. */
  wantsAppend(lastIndex: LogIndex, commit: LogIndex): boolean {
    if (this.#mode === 'snapshot') return false;
    if (this.#mode === 'probe') return !this.#probing && this.#match < lastIndex;
    return this.#nudged || (this.hasRoom && (this.#next <= lastIndex || this.#commitSent < commit));
  }

  /** Whether that append may carry entries. */
  get hasRoom(): boolean {
    return this.#mode === 'probe' || this.#inflight.length < this.#maxInflight;
  }

  /** An append went out with entries up to `lastIndex`; `next - 1` when it was empty. */
  sent(lastIndex: LogIndex, commit: LogIndex): void {
    this.#nudged = false;
    if (commit > this.#commitSent) this.#commitSent = commit;
    if (this.#mode === 'probe') {
      this.#probing = true;
    } else if (lastIndex >= this.#next) {
      assert(this.#inflight.length < this.#maxInflight, 'progress 3: at most so many appends are under way');
      this.#inflight.push(lastIndex);
      this.#next = (lastIndex + 1) as LogIndex;
    }
  }

  /** The follower has everything up to `matchIndex`. */
  accepted(matchIndex: LogIndex): void {
    this.#silent = false;
    if (matchIndex < this.#match) return;
    this.#match = matchIndex;
    if (this.#mode !== 'replicate') {
      this.#mode = 'replicate';
      this.#next = (matchIndex + 1) as LogIndex;
      this.#inflight = [];
      return;
    }
    if (this.#next <= matchIndex) this.#next = (matchIndex + 1) as LogIndex;
    let done = 0;
    while (done < this.#inflight.length && (this.#inflight[done] as LogIndex) <= matchIndex) done++;
    if (done > 0) this.#inflight.splice(0, done);
  }

  /** Whether a refusal of `prevLogIndex` can answer an append that still counts; an old one that came late does not. */
  isNews(prevLogIndex: LogIndex): boolean {
    if (this.#mode === 'snapshot') return false;
    if (this.#mode === 'probe') return prevLogIndex === this.#next - 1 && (prevLogIndex > this.#match || prevLogIndex === 0);
    return prevLogIndex > this.#match && prevLogIndex < this.#next;
  }

  /** The follower refused; go on after `prevLogIndex`. */
  refused(prevLogIndex: LogIndex): void {
    assert(prevLogIndex >= this.#match && prevLogIndex < this.#next, 'progress 1: match < next');
    this.#silent = false;
    this.#mode = 'probe';
    this.#probing = false;
    this.#inflight = [];
    this.#next = (prevLogIndex + 1) as LogIndex;
  }

  /** What it needs next is not in the leader's log any more, or it has nothing that entries could follow. */
  needsSnapshot(): void {
    this.#mode = 'snapshot';
    this.#inflight = [];
  }

  /**
   * The driver has done with the snapshot: it was installed up to `index`. Or (undefined) it was not, as far as anybody knows: then the follower is asked
   * before long where it stands, by an append after `lastIndex`. It may have the snapshot, whose answer got lost, and a second one would be of no use.
   */
  snapshotSent(index: LogIndex | undefined, lastIndex: LogIndex): void {
    if (this.#mode !== 'snapshot') return;
    this.#mode = 'probe';
    const after = index ?? lastIndex;
    this.#next = ((after > this.#match ? after : this.#match) + 1) as LogIndex;
    this.#probing = index === undefined; // a heartbeat's answer wakes it up: not at once, lest it go round and round
    this.#silent = true;
  }

  get waitsForSnapshot(): boolean {
    return this.#mode === 'snapshot';
  }

  /** A periodic heartbeat goes out. */
  heartbeatSent(): void {
    this.#silent = true;
  }

  /** The follower is there. If it has not answered any append for a while, something was lost: try again. */
  heartbeatAnswered(lastIndex: LogIndex): void {
    if (!this.#silent || this.#match >= lastIndex) return;
    this.#silent = false;
    if (this.#mode === 'snapshot') return;
    this.#probing = false;
    this.#nudged = this.#mode === 'replicate';
  }
}
