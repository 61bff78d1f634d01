// What the writing side knows of a keyspace, and the checks at the gateway: every key, value and version that a caller
// hands in passes here.
import { compareBytes } from '@distrokv/base';
import type { Keyspace, VersionMode } from './engine.ts';
import { LsmError } from './errors.ts';
import { internalKey } from './key-range.ts';

/** Keys are kept whole in the index of every table. */
const MAX_KEY_BYTES = 1 << 20;
const MAX_VALUE_BYTES = 255 << 20;

export class KeyspaceState {
  /** The first byte of the keyspace's internal keys. */
  readonly id: number;
  readonly name: string;
  readonly versions: VersionMode;
  /** The engine that the keyspace is of. */
  readonly owner: object;
  /** The highest version in the store, 0 in a `latest` keyspace. */
  lastWritten: number;
  /** The highest version that any write was accepted with, also those that wait for the log. */
  lastAccepted: number;
  /** Nobody reads as of a version below; 0 in a `latest` keyspace. */
  retention: number;
  /** Nothing can be read or written any more. */
  isDropped = false;

  constructor(id: number, name: string, versions: VersionMode, lastVersion: number, retention: number, owner: object) {
    this.id = id;
    this.name = name;
    this.versions = versions;
    this.owner = owner;
    this.lastWritten = lastVersion;
    this.lastAccepted = lastVersion;
    this.retention = retention;
  }

  /** Throws LsmError `invalid` once the keyspace was dropped. */
  checkThere(): void {
    if (this.isDropped) throw new LsmError('invalid', `keyspace ${this.name} was dropped`);
  }

  noteWritten(version: number): void {
    if (this.versions === 'caller' && version > this.lastWritten) this.lastWritten = version;
    if (this.lastWritten > this.lastAccepted) this.lastAccepted = this.lastWritten;
  }

  /** Reads find the newest version first because versions never decrease: throws LsmError `invalid` for one that does. */
  checkNotLate(version: number): void {
    if (version >= this.lastAccepted) return;
    throw new LsmError('invalid', `keyspace ${this.name} is at version ${this.lastAccepted}; version ${version} comes too late`);
  }
}

/** The state behind a keyspace; throws LsmError `invalid` if it is of another engine, or was dropped. */
export function stateOf(keyspace: Keyspace, owner: object): KeyspaceState {
  if (keyspace instanceof KeyspaceState && keyspace.owner === owner) {
    if (keyspace.isDropped) keyspace.checkThere();
    return keyspace;
  }
  throw new LsmError('invalid', `keyspace ${keyspace.name} belongs to another engine`);
}

/** A range of keys as internal keys; throws LsmError `invalid` for one that holds none. */
export function rangeOf({ id, name }: KeyspaceState, from: Uint8Array, to: Uint8Array | undefined): { start: Uint8Array; end: Uint8Array } {
  checkKey(from.length);
  if (to !== undefined) checkKey(to.length);
  const start = internalKey(id, from);
  const end = to === undefined ? Uint8Array.of(id + 1) : internalKey(id, to);
  if (compareBytes(start, end) < 0) return { start, end };
  throw new LsmError('invalid', `a range of keyspace ${name} ends after its start; nothing was deleted`);
}

export function checkKey(length: number): void {
  if (length > MAX_KEY_BYTES) throw new LsmError('invalid', `a key has at most ${MAX_KEY_BYTES} bytes, not ${length}`);
}

export function checkValue(length: number): void {
  if (length > MAX_VALUE_BYTES) throw new LsmError('invalid', `a value has at most ${MAX_VALUE_BYTES} bytes, not ${length}`);
}

export function checkVersion(keyspace: KeyspaceState, version: number | undefined): void {
  const wanted = keyspace.versions === 'caller';
  if (wanted ? Number.isSafeInteger(version) && (version as number) >= 0 : version === undefined) return;
  const rule = wanted ? 'takes a version, a safe natural number, with each write' : 'numbers its writes itself';
  throw new LsmError('invalid', `keyspace ${keyspace.name} ${rule}; it was given ${version}`);
}
