// The keyspaces of an engine: made and dropped while it is open, each time by an edit of the manifest, which is the moment
// that counts. What a dropped one holds stays where it is, unseen, until merges come by; so its id, by which its entries are known, is
// never given to another, and the manifest keeps telling how its records in the log are read.
import { type Health, isTransient } from './fail-stop.ts';
import type { KeyspaceOptions } from './engine.ts';
import { LsmError } from './errors.ts';
import { EngineKeyspace } from './keyspace.ts';
import type { ManifestState } from './manifest.ts';
import type { Reader } from './reader.ts';
import { type Watermarks, watermarksOf } from './retention.ts';
import { type KeyspaceRecord, MAX_KEYSPACE_ID, type VersionEdit } from './version-edit.ts';

export class Keyspaces {
  /** By id, dropped ones too. Others hold on to it: it grows in place. */
  readonly byId: (EngineKeyspace | undefined)[] = [];
  readonly #owner: object;
  readonly #byName = new Map<string, EngineKeyspace>();
  /** Names that are being made or dropped. */
  readonly #busy = new Set<string>();
  #nextId = 1;
  #reader: Reader | undefined;

  constructor(owner: object, state: ManifestState) {
    this.#owner = owner;
    for (const record of state.keyspaces.values()) {
      const { id } = record;
      this.#add(record, state.lastVersions.get(id) ?? 0, state.retentions.get(id) ?? 0);
      if (state.dropped.has(id)) this.#forget(record.name, id);
    }
  }

  /** Those that are there, in the order in which they were made. */
  get all(): EngineKeyspace[] {
    return [...this.#byName.values()];
  }

  /** Throws LsmError `invalid` if there is none. */
  get(name: string): EngineKeyspace {
    const keyspace = this.#byName.get(name);
    if (keyspace === undefined) throw new LsmError('invalid', `there is no keyspace ${name}`);
    return keyspace;
  }

  /** What to make for these to be there. Throws LsmError `invalid` if one is there with another mode, or too many were ever made. */
  missing(wanted: readonly KeyspaceOptions[]): KeyspaceRecord[] {
    const records: KeyspaceRecord[] = [];
    for (const { name, versions } of wanted) {
      const before = this.#byName.get(name);
      if (before === undefined) records.push({ id: this.#nextId + records.length, name, versions });
      else if (before.versions !== versions) {
        throw new LsmError(
          'invalid',
          `keyspace ${name} was made with versions '${before.versions}' and cannot be opened with '${versions}'`,
        );
      }
    }
    if (this.#nextId + records.length - 1 > MAX_KEYSPACE_ID)
      throw new LsmError('invalid', `a store has at most ${MAX_KEYSPACE_ID} keyspaces, those that were dropped included`);
    return records;
  }

  /** Takes up keyspaces that the manifest names from now on. */
  add(records: readonly KeyspaceRecord[]): void {
    for (const record of records) this.#add(record, 0, 0);
  }

  /** Once, before the first read. */
  attach(reader: Reader): void {
    this.#reader = reader;
    for (const keyspace of this.byId) keyspace?.attach(reader);
  }

  /** What merges may leave out when the watermarks of retention are these. */
  watermarks(retentions: ReadonlyMap<number, number>): Watermarks {
    return watermarksOf(
      this.byId.filter((keyspace) => keyspace !== undefined),
      retentions,
    );
  }

  async create(options: KeyspaceOptions, append: (edit: VersionEdit) => Promise<void>, health: Health): Promise<EngineKeyspace> {
    const { name, versions } = options;
    if (name === '' || (versions !== 'caller' && versions !== 'latest'))
      throw new LsmError('invalid', `a keyspace has a name, and versions 'caller' or 'latest'; it was given '${name}' and '${versions}'`);
    if (this.#byName.has(name)) throw new LsmError('invalid', `there is a keyspace ${name} already`);
    return this.#exclusively(name, async () => {
      const records = this.missing([options]);
      const id = this.#nextId++;
      try {
        await durable(append({ keyspaces: records }), health);
      } catch (error) {
        // Unless another, with a higher one, is on its way.
        if (this.#nextId === id + 1) this.#nextId = id;
        throw error;
      }
      this.add(records);
      return this.get(name);
    });
  }

  async drop(name: string, append: (edit: VersionEdit) => Promise<void>, health: Health): Promise<void> {
    const { id } = this.get(name);
    await this.#exclusively(name, async () => {
      await durable(append({ dropped: [id] }), health);
      this.#forget(name, id);
    });
  }

  async #exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(name)) throw new LsmError('invalid', `keyspace ${name} is being made or dropped`);
    this.#busy.add(name);
    try {
      return await work();
    } finally {
      this.#busy.delete(name);
    }
  }

  #add({ id, name, versions }: KeyspaceRecord, lastVersion: number, retention: number): void {
    const keyspace = new EngineKeyspace(id, name, versions, lastVersion, retention, this.#owner);
    if (this.#reader !== undefined) keyspace.attach(this.#reader);
    this.byId[id] = keyspace;
    this.#byName.set(name, keyspace);
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  #forget(name: string, id: number): void {
    const keyspace = this.byId[id];
    if (keyspace !== undefined) keyspace.isDropped = true;
    if (this.#byName.get(name) === keyspace) this.#byName.delete(name);
  }
}

/** Waits for an edit; a full disk may have room again, everything else is final. */
async function durable(edit: Promise<void>, health: Health): Promise<void> {
  try {
    await edit;
  } catch (error) {
    if (isTransient(error)) throw new LsmError('no-space', 'the disk is full; the keyspaces are as they were', { cause: error });
    health.fail(error);
    throw health.refusal();
  }
}
