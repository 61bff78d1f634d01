// The end of the log that is not known to be durable yet, and the writes that make it so.
//
// Several writes may be under way when a new leader replaces the tail. Then the same index may be written twice or more,
// and hearing that an old write is done must not pass for the new one ("ABA"; etcd raft met it in
// async_storage_writes_append_aba_race). So each write remembers up to where the log equals what it and its forerunners
// made durable, and a replacement cuts that back to just before the first replaced index. What is left is true for good:
// a later write never touches indexes below its own first, and writes are made in order.
import { assert } from '@distrokv/base';
import type { LogIndex } from '@distrokv/base';
import type { Entry } from './messages.ts';

interface Write {
  readonly id: number;
  readonly begunAtTick: number;
  /** Once this write is done, the log as it stands now is durable up to here. */
  lastIndex: LogIndex;
}

/**
 * Invariants:
 * 1. stableIndex ≤ writtenIndex ≤ lastIndex.
 * 2. The tail holds exactly the entries (stableIndex, lastIndex], in order.
 * 3. The ids of the writes under way grow, and so (weakly) do their last indexes; none is beyond writtenIndex.
 */
export class UnstableTail {
  readonly #entries: Entry[] = [];
  readonly #writes: Write[] = [];
  #stableIndex: LogIndex;
  #writtenIndex: LogIndex;
  #lastWriteId = 0;

  /** `lastIndex` is the last index of the storage, all of which is durable. */
  constructor(lastIndex: LogIndex) {
    this.#stableIndex = lastIndex;
    this.#writtenIndex = lastIndex;
  }

  /** The log is durable up to here. */
  get stableIndex(): LogIndex {
    return this.#stableIndex;
  }

  get lastIndex(): LogIndex {
    return (this.#stableIndex + this.#entries.length) as LogIndex;
  }

  /** Whether a write is under way. */
  get writing(): boolean {
    return this.#writes.length > 0;
  }

  /** When the oldest write that is under way was handed out. */
  get writingSinceTick(): number | undefined {
    return this.#writes[0]?.begunAtTick;
  }

  get hasUnwritten(): boolean {
    return this.#writtenIndex < this.lastIndex;
  }

  /** The entries of the tail; `entries[0]` has index `stableIndex + 1`. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Puts `entries` (one or more, contiguous) at their indexes; what the log had from the first of them on is replaced. */
  append(entries: readonly Entry[]): void {
    const before = ((entries[0] as Entry).index - 1) as LogIndex;
    assert(before <= this.lastIndex, 'an append leaves no gap');
    if (before < this.lastIndex) this.#cutBack(before);
    for (const entry of entries) this.#entries.push(entry);
  }

  #cutBack(lastIndex: LogIndex): void {
    this.#entries.length = Math.max(0, lastIndex - this.#stableIndex);
    if (lastIndex < this.#stableIndex) this.#stableIndex = lastIndex;
    if (lastIndex < this.#writtenIndex) this.#writtenIndex = lastIndex;
    for (const write of this.#writes) if (lastIndex < write.lastIndex) write.lastIndex = lastIndex;
  }

  /** Hands out what is in no write yet, as the write `id`. */
  beginWrite(tick: number): { readonly id: number; readonly entries: readonly Entry[] } {
    const entries = this.#entries.slice(this.#writtenIndex - this.#stableIndex);
    this.#writtenIndex = this.lastIndex;
    this.#writes.push({ id: ++this.#lastWriteId, begunAtTick: tick, lastIndex: this.#writtenIndex });
    return { id: this.#lastWriteId, entries };
  }

  /** The write `id` and every one before it is durable. Returns the last entry which that made durable, if any. */
  persisted(id: number): Entry | undefined {
    const position = this.#writes.findIndex((write) => write.id === id);
    assert(position >= 0, `write ${id} is under way`);
    const { lastIndex } = this.#writes[position] as Write;
    this.#writes.splice(0, position + 1);
    const durable = lastIndex > this.#stableIndex ? this.#entries.splice(0, lastIndex - this.#stableIndex) : [];
    this.#stableIndex = (this.#stableIndex + durable.length) as LogIndex;
    assert(this.#stableIndex <= this.#writtenIndex && this.#writtenIndex <= this.lastIndex, 'unstable tail 1: stable ≤ written ≤ last');
    assert((this.#writes[0]?.lastIndex ?? this.#writtenIndex) >= lastIndex, 'unstable tail 3: writes end in the order of their ids');
    return durable.at(-1);
  }
}
