// A disk for tests: writes wait in a queue until they are synced, and a crash keeps what was synced and any first part of
// the rest. The driver's side of the contract of Ready and LogStorage.
import { EMPTY } from '@distrokv/base';
import type { LogIndex, Random, Term } from '@distrokv/base';
import { MemoryLog } from '../memory-log.ts';
import type { Entry, Message } from '../messages.ts';
import type { HardState, Ready } from '../types.ts';

interface PendingWrite {
  readonly id: number;
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly messages: readonly Message[];
}

export interface DiskState {
  hardState: HardState;
  /** The whole log from index 1 on; the judge needs what `storage` has compacted, too. */
  readonly log: Entry[];
}

const FRESH: HardState = { term: 0 as Term, vote: undefined, commit: 0 as LogIndex };

/** Puts `entries` into `log` (whose position i holds index i + 1); they replace what is there from the first on. */
export function overwrite(log: Entry[], entries: readonly Entry[]): void {
  const first = entries[0];
  if (first === undefined) return;
  log.length = first.index - 1;
  log.push(...entries);
}

export class Disk {
  readonly durable: DiskState = { hardState: FRESH, log: [] };
  storage: MemoryLog = new MemoryLog();
  #pending: PendingWrite[] = [];
  /** Whether the storage shows a write when it is made, and not only when it is synced; Raft must bear both. */
  readonly #showsEarly: boolean;

  constructor(showsEarly: boolean) {
    this.#showsEarly = showsEarly;
  }

  /** Starts with entries of these terms, all durable. */
  preset(terms: readonly number[]): void {
    const entries = terms.map((term, i): Entry => ({ index: (i + 1) as LogIndex, term: term as Term, kind: 'command', data: EMPTY }));
    this.durable.log.push(...entries);
    this.storage.append(entries);
    this.durable.hardState = { ...FRESH, term: (terms.at(-1) ?? 0) as Term };
  }

  /** A snapshot takes the place of the whole log; `log` is what it stands for. Nothing is being written. */
  install(log: readonly Entry[]): void {
    const { index, term } = log.at(-1) as Entry;
    const { durable } = this;
    durable.log.length = 0;
    durable.log.push(...log);
    const { hardState } = durable;
    const isNew = hardState.term < term;
    durable.hardState = { term: isNew ? term : hardState.term, vote: isNew ? undefined : hardState.vote, commit: index };
    this.storage = new MemoryLog(durable.log);
    this.storage.compact(index);
  }

  get pending(): number {
    return this.#pending.length;
  }

  write({ writeId, hardState, entries, messagesAfterPersist }: Ready): void {
    this.#pending.push({ id: writeId, hardState, entries, messages: messagesAfterPersist });
    if (this.#showsEarly) this.storage.append(entries);
  }

  /** Syncs the `count` oldest writes at once. Returns the id of the last and the messages that waited for them. */
  sync(count: number): { readonly id: number; readonly messages: readonly Message[] } {
    const done = this.#pending.splice(0, count);
    for (const write of done) {
      this.#keep(write, write.entries.length);
      if (!this.#showsEarly) this.storage.append(write.entries);
    }
    return { id: (done.at(-1) as PendingWrite).id, messages: done.flatMap((write) => write.messages) };
  }

  #keep({ hardState, entries }: PendingWrite, count: number): void {
    if (hardState !== undefined) this.durable.hardState = hardState;
    overwrite(this.durable.log, entries.slice(0, count));
  }

  /** Power is lost: of the writes that were not synced, the first few survive, and the next one perhaps in part. */
  crash(random: Random): void {
    const survivors = random.below(this.#pending.length + 1);
    for (const write of this.#pending.slice(0, survivors)) this.#keep(write, write.entries.length);
    const torn = this.#pending[survivors];
    if (torn !== undefined && random.chance(0.5)) this.#keep(torn, random.below(torn.entries.length + 1));
    this.#pending = [];
    const compacted = (this.storage.firstIndex() - 1) as LogIndex;
    this.storage = new MemoryLog(this.durable.log);
    this.storage.compact(compacted);
  }
}
