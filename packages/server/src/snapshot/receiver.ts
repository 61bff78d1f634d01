// Takes a snapshot from a leader: its files go to a directory of their own, where they are synced and every table is read and checked, before
// anything that this member has is touched. What came of an attempt that broke off is kept, and the next one goes on from there.
import { type LogIndex, type Term, fromUtf8, hexId } from '@distrokv/base';
import type { Env, Logger } from '@distrokv/env';
import { GrpcError } from '@distrokv/grpc';
import { openEngine, verifyStore } from '@distrokv/lsm';
import { Store, storeKeyspaces } from '@distrokv/mvcc';
import type { SnapshotFile, SnapshotSource } from '../transport.ts';
import { namesIn, removeTree, writeWhole } from '../files.ts';
import { ID_FILE, incomingDb, incomingDirectory } from './install.ts';

const PIECE_BYTES = 1 << 20;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** A snapshot that is here as a whole, and was checked. */
export interface ReceivedSnapshot {
  /** The last entry that it has. */
  readonly index: LogIndex;
  readonly term: Term;
}

export interface SnapshotReceiverOptions {
  readonly env: Env;
  readonly logger: Logger;
  readonly dataDirectory: string;
  readonly isNeeded: (index: LogIndex, term: Term) => boolean;
  /** To be installed: by stopping, and starting on it. */
  readonly onReceived: (snapshot: ReceivedSnapshot) => void;
}

export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  #busy = false;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** Resolves when the snapshot is here and checked, with its last entry. Rejects with GrpcError, FsError, LsmError. */
  async receive(source: SnapshotSource): Promise<LogIndex> {
    if (this.#busy) throw new GrpcError('unavailable', 'another snapshot is under way');
    this.#busy = true;
    let received = false;
    try {
      const { env, logger, isNeeded, onReceived } = this.#options;
      await this.#begin(source);
      for (const [i, file] of source.files.entries()) await this.#take(source, i, file);
      await env.fs.syncDirectory(this.#db);
      const snapshot = await this.#check();
      logger.info('received a snapshot', { index: snapshot.index, files: source.files.length });
      received = isNeeded(snapshot.index, snapshot.term);
      if (received) onReceived(snapshot);
      else await removeTree(env.fs, incomingDirectory(this.#options.dataDirectory));
      return snapshot.index;
    } finally {
      this.#busy = received; // What is about to be installed is not to be written to.
    }
  }

  get #db(): string {
    return incomingDb(this.#options.dataDirectory);
  }

  /** Keeps what there is of the same checkpoint, and nothing else. */
  async #begin({ id, files }: SnapshotSource): Promise<void> {
    const { env, dataDirectory } = this.#options;
    const { fs } = env;
    const names = new Set(files.map(({ name }) => name));
    if (names.size !== files.length || ![...names].every((name) => NAME.test(name)))
      throw new GrpcError('invalid-argument', 'a snapshot whose files have impossible names');
    const directory = incomingDirectory(dataDirectory);
    const idFile = `${directory}/${ID_FILE}`;
    const isSame = (await fs.sizeOf(idFile)) !== undefined && fromUtf8(await fs.readFile(idFile, 100)) === hexId(id);
    if (!isSame) await removeTree(fs, directory);
    await fs.makeDirectory(this.#db);
    if (!isSame) await writeWhole(fs, directory, ID_FILE, hexId(id));
    for (const name of await namesIn(fs, this.#db)) if (!names.has(name)) await fs.removeFile(`${this.#db}/${name}`);
  }

  async #take(source: SnapshotSource, i: number, { name, bytes }: SnapshotFile): Promise<void> {
    const file = await this.#options.env.fs.open(`${this.#db}/${name}`, 'write');
    try {
      if (file.size() > bytes) await file.truncate(bytes);
      for (let at = file.size(); at < bytes;) {
        const piece = await source.read(i, at, Math.min(PIECE_BYTES, bytes - at));
        if (piece.length === 0 || piece.length > bytes - at)
          throw new GrpcError('invalid-argument', `a piece of ${name} has ${piece.length} bytes`);
        await file.write(piece, at);
        at += piece.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Reads everything once. A snapshot that is damaged goes, so that the next attempt does not go on from it. */
  async #check(): Promise<ReceivedSnapshot> {
    const { env, dataDirectory } = this.#options;
    try {
      const { faults } = await verifyStore(env, this.#db);
      const [fault] = faults;
      if (fault) throw new GrpcError('data-loss', `the snapshot is damaged: ${fault.file}: ${fault.what}`);
      const engine = await openEngine({ env, directory: this.#db, keyspaces: storeKeyspaces, wal: 'none' });
      try {
        const { state, isBootstrapped } = new Store(engine);
        if (!isBootstrapped) throw new GrpcError('data-loss', 'the snapshot knows of no members');
        return { index: state.appliedIndex, term: state.appliedTerm };
      } finally {
        await engine.close();
      }
    } catch (error) {
      await removeTree(env.fs, incomingDirectory(dataDirectory));
      throw error;
    }
  }
}
