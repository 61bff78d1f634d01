// Ingestion seen from the engine: one at a time, files in, one change of the tree out. What it does and why is told in ingest.ts.
import { messageOf } from '@distrokv/base';
import type { IngestReport, Keyspace } from './engine.ts';
import { LsmError } from './errors.ts';
import { type Health, isTransient } from './fail-stop.ts';
import type { Flusher } from './flusher.ts';
import type { Generations } from './generations.ts';
import { type CopiedTables, copyFiles, deepestLevel, versionAhead } from './ingest.ts';
import { type KeyspaceState, stateOf } from './keyspace-state.ts';
import type { Merger } from './merger.ts';
import { type Settings, codecAt } from './options.ts';
import { type RunWriterOptions, removeTables } from './run-writer.ts';
import type { Tree } from './tree.ts';
import { LAST_LEVEL } from './version.ts';

export interface IngesterOptions {
  readonly owner: object;
  readonly settings: Settings;
  readonly health: Health;
  readonly generations: Generations;
  readonly tree: Tree;
  readonly flusher: Flusher;
  readonly merger: Merger;
  readonly writing: Omit<RunWriterOptions, 'codec'>;
  /** Freezes the memtable, and calls `then` in the same moment. */
  readonly freeze: (then: () => void) => Promise<void>;
  /** Whether a write to the keyspace was accepted that is not in the memtable yet. */
  readonly isAwaited: (keyspace: KeyspaceState) => boolean;
}

export class Ingester {
  readonly #options: IngesterOptions;
  /** The end of the line. */
  #line: Promise<unknown> = Promise.resolve();
  bytesWritten = 0;

  constructor(options: IngesterOptions) {
    this.#options = options;
  }

  ingest(keyspace: Keyspace, paths: readonly string[]): Promise<IngestReport> {
    const done = this.#line.then(() => this.#ingest(stateOf(keyspace, this.#options.owner), paths));
    this.#line = done.catch(() => {});
    return done;
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#line;
  }

  async #ingest(keyspace: KeyspaceState, paths: readonly string[]): Promise<IngestReport> {
    const { settings, health, generations, merger, writing } = this.#options;
    const version = keyspace.versions === 'latest' ? versionAhead(generations.sequence) : undefined;
    try {
      const copied = await copyFiles(settings.env, paths, keyspace, version, { ...writing, codec: codecAt(settings, LAST_LEVEL) });
      for (const { byteLength } of copied.tables) this.bytesWritten += byteLength;
      return await merger.exclusively(() => this.#install(keyspace, version, copied));
    } catch (error) {
      if (isTransient(error)) throw new LsmError('no-space', `nothing was ingested: ${messageOf(error)}`, { cause: error });
      // A failed sync, wherever it was.
      if (error instanceof LsmError && error.code === 'failed') health.fail(error);
      throw error;
    }
  }

  async #install(keyspace: KeyspaceState, version: number | undefined, copied: CopiedTables): Promise<IngestReport> {
    const { settings, generations, tree, flusher } = this.#options;
    const { tables, entries, bounds, highestVersion } = copied;
    let giveBack = (): void => {};
    try {
      let refusal: Error | undefined;
      let flushed: Promise<void> | undefined;
      await this.#options.freeze(() => {
        try {
          giveBack = this.#take(keyspace, version, copied);
          flushed = flusher.flushed(generations.generation);
        } catch (error) {
          refusal = error as Error;
        }
      });
      if (refusal !== undefined) throw refusal;
      await flushed;
    } catch (error) {
      await removeTables(tables, settings);
      throw error;
    }
    // All that was written before is in runs of lower numbers now, and all that comes will be in runs of higher ones.
    const run = tree.nextNumber();
    const level = deepestLevel(tree.version.runs, bounds);
    const lastVersions = new Map(version === undefined ? [[keyspace.id, highestVersion]] : []);
    const edit = { lastVersions, ...(version === undefined ? {} : { sequence: version }) };
    try {
      await tree.change({ level, added: tables, removed: [], arrives: true, run, edit });
    } catch (error) {
      if (isTransient(error)) {
        giveBack();
        await removeTables(tables, settings);
      } else this.#options.health.fail(error);
      throw error;
    }
    const bytes = tables.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return { entries, tables: tables.length, bytes, level };
  }

  /**
   * In the moment of the ingestion: its versions are taken, and whatever is written later has higher ones. Throws LsmError `invalid`. Returns
   * what gives them back, as long as nothing was written meanwhile.
   */
  #take(keyspace: KeyspaceState, version: number | undefined, { lowestVersion, highestVersion }: CopiedTables): () => void {
    const { generations, isAwaited } = this.#options;
    keyspace.checkThere();
    if (version !== undefined) {
      if (generations.sequence >= version) throw new LsmError('invalid', 'too much was written while files were copied: try again');
      generations.sequence = version;
      return () => {};
    }
    if (isAwaited(keyspace)) throw new LsmError('invalid', `keyspace ${keyspace.name} is being written: which version would come first?`);
    keyspace.checkNotLate(lowestVersion);
    const { lastWritten } = keyspace;
    const { sequence } = generations;
    keyspace.noteWritten(highestVersion);
    return () => {
      if (generations.sequence !== sequence || isAwaited(keyspace)) return;
      keyspace.lastWritten = lastWritten;
      keyspace.lastAccepted = lastWritten;
    };
  }
}
