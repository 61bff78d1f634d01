// Sends snapshots to followers that need what the log here no longer has. A snapshot is a checkpoint of the engine: links to its tables,
// which never change, so it costs no copy and holds nobody up. Followers that need one at about the same time share it, and one whose stream
// broke goes on with it where it was.
import { type LogIndex, type MemberId, defined, hexId, messageOf } from '@distrokv/base';
import { type Env, type File, type Logger, type Timer } from '@distrokv/env';
import { GrpcError } from '@distrokv/grpc';
import type { Engine } from '@distrokv/lsm';
import type { Store } from '@distrokv/mvcc';
import type { SnapshotFile, SnapshotSource } from '../transport.ts';
import { removeTree } from '../files.ts';

/** A checkpoint stays for so long after its last use, for who comes back for the rest of it. */
const KEEP_MS = 60_000;
/** After a failure the core is told with a pause, lest it ask again and again. */
const PAUSE_MS = 1000;
/** The peer starts anew on the snapshot, and takes no entries meanwhile. */
const INSTALL_MS = 300;
/** Most bytes of one piece. */
const MAX_READ_BYTES = 1 << 20;

export interface SnapshotSenderOptions {
  readonly env: Env;
  readonly logger: Logger;
  /** Where checkpoints are made; on the file system of the engine. */
  readonly directory: string;
  readonly engine: Engine;
  readonly store: Store;
  readonly firstLogIndex: () => LogIndex;
  readonly send: (to: MemberId, source: SnapshotSource) => Promise<LogIndex>;
  readonly onSent: (to: MemberId, index: LogIndex | undefined) => void;
}

interface Checkpoint {
  readonly id: bigint;
  readonly directory: string;
  readonly files: readonly SnapshotFile[];
  /** It has everything up to here, at least. */
  readonly index: LogIndex;
  users: number;
}

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #under = new Map<MemberId, Promise<void>>();
  #current: Promise<Checkpoint> | undefined;
  /** The log keeps what follows this entry: a follower that gets the snapshot goes on from there. */
  #neededAfter: LogIndex | undefined;
  #count = 0;
  #expiry: Timer | undefined;
  #stopped = false;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** The log is to keep what comes after this entry; undefined if no snapshot is in use. */
  get neededAfter(): LogIndex | undefined {
    return this.#neededAfter;
  }

  /** Removes what an earlier run of this process left. */
  async start(): Promise<void> {
    await removeTree(this.#options.env.fs, this.#options.directory);
  }

  /** Sends a snapshot, unless one is under way there. */
  send(to: MemberId): void {
    if (this.#stopped || this.#under.has(to)) return;
    this.#under.set(
      to,
      this.#send(to).finally(() => this.#under.delete(to)),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#expiry?.cancel();
    await Promise.all(this.#under.values());
    await this.#drop();
  }

  async #send(to: MemberId): Promise<void> {
    const { env, logger, onSent } = this.#options;
    try {
      const checkpoint = await this.#checkpoint();
      checkpoint.users++;
      const reader = new Reader(env, checkpoint);
      try {
        const bytes = checkpoint.files.reduce((sum, file) => sum + file.bytes, 0);
        logger.info('sending a snapshot', { peer: hexId(to), bytes, files: checkpoint.files.length });
        const index = await this.#options.send(to, reader);
        logger.info('a snapshot was taken', { peer: hexId(to), index });
        await env.timers.sleep(INSTALL_MS);
        onSent(to, index);
      } finally {
        await reader.close();
        checkpoint.users--;
        this.#expireLater();
      }
    } catch (error) {
      if (this.#stopped) return;
      logger.warn('a snapshot could not be sent', { peer: hexId(to), reason: messageOf(error) });
      await env.timers.sleep(PAUSE_MS);
      onSent(to, undefined);
    }
  }

  /** One that the log still goes on from, or a new one. */
  async #checkpoint(): Promise<Checkpoint> {
    this.#expiry?.cancel();
    const current = await this.#current;
    if (current && current.index >= this.#options.firstLogIndex() - 1) return current;
    if (!current || current.users === 0) await this.#drop();
    this.#current ??= this.#make();
    try {
      return await this.#current;
    } catch (error) {
      this.#current = undefined;
      this.#neededAfter = undefined;
      throw error;
    }
  }

  async #make(): Promise<Checkpoint> {
    const { env, engine, store } = this.#options;
    const { fs, random } = env;
    const index = await store.durableIndex();
    this.#neededAfter = index;
    const directory = `${this.#options.directory}/${++this.#count}`;
    await engine.checkpoint(directory);
    const files: SnapshotFile[] = [];
    for (const name of await fs.readDirectory(directory)) files.push({ name, bytes: (await fs.sizeOf(`${directory}/${name}`)) ?? 0 });
    const id = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
    return { id, directory, files, index, users: 0 };
  }

  #expireLater(): void {
    if (this.#stopped) return;
    this.#expiry?.cancel();
    this.#expiry = this.#options.env.timers.after(KEEP_MS, () => void this.#dropIfUnused());
  }

  async #dropIfUnused(): Promise<void> {
    const current = await this.#current;
    if (current?.users === 0) await this.#drop();
  }

  async #drop(): Promise<void> {
    const dropped = this.#current;
    this.#current = undefined;
    this.#neededAfter = undefined;
    const { directory } = (await dropped?.catch(() => undefined)) ?? {};
    if (directory === undefined) return;
    const { env, logger } = this.#options;
    try {
      await removeTree(env.fs, directory);
    } catch (error) {
      logger.warn('a snapshot that is no longer needed could not be removed; the next start tries again', { reason: messageOf(error) });
    }
  }
}

/** Reads pieces of a checkpoint; keeps the file that it is at open. */
class Reader implements SnapshotSource {
  readonly id: bigint;
  readonly files: readonly SnapshotFile[];
  readonly #env: Env;
  readonly #directory: string;
  #open: { readonly at: number; readonly file: File } | undefined;

  constructor(env: Env, checkpoint: Checkpoint) {
    this.#env = env;
    this.id = checkpoint.id;
    this.files = checkpoint.files;
    this.#directory = checkpoint.directory;
  }

  async read(file: number, offset: number, length: number): Promise<Uint8Array> {
    const asked = this.files[file];
    if (!asked || offset > asked.bytes) throw new GrpcError('invalid-argument', 'a piece of a snapshot that there is not');
    if (this.#open?.at !== file) {
      await this.close();
      this.#open = { at: file, file: await this.#env.fs.open(`${this.#directory}/${asked.name}`, 'read') };
    }
    const into = Buffer.allocUnsafe(Math.min(length, MAX_READ_BYTES, asked.bytes - offset));
    const count = await defined(this.#open, 'an open file').file.read(into, offset);
    return into.subarray(0, count);
  }

  async close(): Promise<void> {
    await this.#open?.file.close();
    this.#open = undefined;
  }
}
