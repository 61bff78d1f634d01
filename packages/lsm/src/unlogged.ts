// The writer of an engine without a log. Its owner has one (Raft's), and writes again what was not flushed; all the engine
// has to promise is that a flush takes a unit whole or not at all.
import { EMPTY } from '@distrokv/base';
import type { Keyspace, UnloggedWriter } from './engine.ts';
import { LsmError } from './errors.ts';
import type { Health } from './fail-stop.ts';
import type { Flusher } from './flusher.ts';
import type { Generations } from './generations.ts';
import { type KeyspaceState, checkKey, checkValue, checkVersion, rangeOf, stateOf } from './keyspace-state.ts';
import { MAX_RANGES } from './range-deletes.ts';
import type { WritePace } from './write-pace.ts';

export interface UnloggedOptions {
  readonly owner: object;
  readonly health: Health;
  readonly generations: Generations;
  readonly flusher: Flusher;
  readonly pace: WritePace;
  /** The first segment that a log would begin with: what an earlier mode left is not needed after a flush. */
  readonly walFrom: number;
}

const ignore = (): void => {};

export class Unlogged implements UnloggedWriter {
  readonly #options: UnloggedOptions;
  #isOpen = false;
  /** Bytes of keys and values in the unit. */
  #unitBytes = 0;
  #unitRanges = 0;
  /** Those who asked for a freeze while a unit was open. */
  #freezes: (() => void)[] = [];

  constructor(options: UnloggedOptions) {
    this.#options = options;
  }

  put(keyspace: Keyspace, key: Uint8Array, value: Uint8Array, version?: number): void {
    this.#write(keyspace, key, 0, key.length, EMPTY, 0, value, 0, value.length, false, version);
  }

  putParts(
    keyspace: Keyspace,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    head: Uint8Array,
    headEnd: number,
    rest: Uint8Array,
    restStart: number,
    restEnd: number,
    version?: number,
  ): void {
    this.#write(keyspace, key, keyStart, keyEnd, head, headEnd, rest, restStart, restEnd, false, version);
  }

  delete(keyspace: Keyspace, key: Uint8Array, version?: number): void {
    this.#write(keyspace, key, 0, key.length, EMPTY, 0, EMPTY, 0, 0, true, version);
  }

  deleteRange(keyspace: Keyspace, from: Uint8Array, to: Uint8Array | undefined, version?: number): void {
    const { generations, flusher } = this.#options;
    const state = this.#checked(keyspace, version);
    flusher.checkRanges();
    const { start, end } = rangeOf(state, from, to);
    if (this.#unitRanges >= MAX_RANGES) throw new LsmError('invalid', `a unit holds at most ${MAX_RANGES} range deletes`);
    const given = version ?? generations.sequence + 1;
    generations.sequence++;
    generations.active.deleteRange(start, end, given);
    this.#unitRanges++;
    this.#wrote(state, given, start.length + end.length);
  }

  commit(): Promise<void> | undefined {
    const { health, generations, flusher, pace } = this.#options;
    health.checkWritable();
    const bytes = this.#unitBytes;
    this.#isOpen = false;
    this.#unitBytes = 0;
    this.#unitRanges = 0;
    flusher.foresee();
    if (generations.isFull || this.#freezes.length > 0) this.#freezeNow();
    return flusher.room(false) ?? pace.due(bytes);
  }

  /** Freezes the memtable; when a unit is open, at its end. Calls `then` in the same moment. */
  freeze(then: () => void = ignore): Promise<void> {
    return new Promise((resolve) => {
      this.#freezes.push(() => {
        then();
        resolve();
      });
      if (!this.#isOpen) this.#freezeNow();
    });
  }

  #freezeNow(): void {
    const { generations, flusher, walFrom } = this.#options;
    if (generations.active.entries > 0) {
      generations.freeze(walFrom);
      flusher.wake();
    }
    for (const resolve of this.#freezes.splice(0)) resolve();
  }

  #write(
    keyspace: Keyspace,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    head: Uint8Array,
    headEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    tombstone: boolean,
    version: number | undefined,
  ): void {
    const { generations } = this.#options;
    const state = this.#checked(keyspace, version);
    checkKey(keyEnd - keyStart);
    checkValue(headEnd + valueEnd - valueStart);
    const given = version ?? generations.sequence + 1;
    generations.sequence++;
    generations.active.insert(state.id, key, keyStart, keyEnd, given, tombstone, value, valueStart, valueEnd, head, headEnd);
    this.#wrote(state, given, keyEnd - keyStart + headEnd + valueEnd - valueStart);
  }

  #checked(keyspace: Keyspace, version: number | undefined): KeyspaceState {
    const { owner, health } = this.#options;
    health.checkWritable();
    const state = stateOf(keyspace, owner);
    checkVersion(state, version);
    if (version !== undefined) state.checkNotLate(version);
    return state;
  }

  #wrote(state: KeyspaceState, version: number, bytes: number): void {
    this.#options.generations.active.publish();
    state.noteWritten(version);
    this.#isOpen = true;
    this.#unitBytes += bytes;
  }
}
