// What a member has on disk, opened and checked against itself: the data directory, the engine with the store in it, and the Raft log. At the
// first start it is written in an order that a crash at any point leaves to be finished by the next start.
import { defined, hexId } from '@distrokv/base';
import type { Env, Logger } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';
import { Store, storeKeyspaces } from '@distrokv/mvcc';
import type { ServerConfig } from './config.ts';
import { type DataDirectory, asServerError, openDataDirectory } from './data-directory.ts';
import { ServerError } from './errors.ts';
import { bootstrapOf } from './identity.ts';
import type { LogIdentity } from './raft-log/codec.ts';
import { RaftLog } from './raft-log/raft-log.ts';
import { beginInstall, finishInstall } from './snapshot/install.ts';
import type { ReceivedSnapshot } from './snapshot/receiver.ts';

const LAST_FLUSH_MS = 10_000;

export interface Storage {
  readonly directory: DataDirectory;
  readonly engine: Engine;
  readonly store: Store;
  readonly log: RaftLog;
  /** Closes everything, and has the snapshot that was received take the place of all that is here at the next opening. */
  install(snapshot: ReceivedSnapshot): Promise<void>;
  /** Flushes what is in memory, if the engine still can, and closes everything. */
  close(options: { readonly flush: boolean }): Promise<void>;
}

/** How much is kept in memory and in one file; the defaults of the engine and of the log where it says nothing. */
export interface StorageSizes {
  readonly memtableBytes?: number;
  readonly segmentBytes?: number;
  readonly recentBytes?: number;
  /** Applied entries that stay in the log for followers that are behind (default 5000); who is further behind gets a snapshot. */
  readonly keptEntries?: number;
}

export interface StorageOptions {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly logger: Logger;
  readonly sizes?: StorageSizes;
  /** Asks the running cluster who this member is, with initial-cluster-state `existing`; called before its first start only. Rejects with ServerError. */
  readonly join?: () => Promise<LogIdentity>;
  /** A disk failed under the engine or the log. */
  readonly onFatal: (error: unknown) => void;
}

/** Throws ServerError; then everything is closed again. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { config, env } = options;
  const path = config.dataDirectory;
  const directory = await openDataDirectory(env.fs, path);
  const opened: { engine?: Engine; log?: RaftLog } = {};
  const close = ({ flush }: { flush: boolean }): Promise<void> =>
    eachInTurn(
      async () => {
        if (flush && opened.engine) await lastFlush(opened.engine, env);
      },
      async () => opened.log?.close(),
      async () => opened.engine?.close(),
      () => directory.release(),
    );
  const install = async ({ index, term }: ReceivedSnapshot): Promise<void> => {
    const log = defined(opened.log, 'the log');
    try {
      await eachInTurn(
        () => log.close(),
        async () => opened.engine?.close(),
      );
      const { identity, hardState } = log;
      await beginInstall({ env, logger: options.logger, dataDirectory: path, identity, hardState, index, term });
    } finally {
      await directory.release();
    }
  };
  try {
    await finishInstall(env.fs, path);
    return { directory, ...(await openParts(options, directory, opened)), install, close };
  } catch (error) {
    await close({ flush: false }).catch(() => {});
    throw asServerError(error, path);
  }
}

/** Does all of it, whatever fails; throws the first failure. */
async function eachInTurn(...steps: readonly (() => Promise<void> | undefined)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Only makes the next start quicker: a full disk must not keep this member from stopping. */
function lastFlush(engine: Engine, env: Env): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = env.timers.after(LAST_FLUSH_MS, resolve);
    engine
      .flush()
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

async function openParts(
  { config, env, logger, sizes = {}, join, onFatal }: StorageOptions,
  directory: DataDirectory,
  opened: { engine?: Engine; log?: RaftLog },
): Promise<{ engine: Engine; store: Store; log: RaftLog }> {
  const joins = config.initialClusterState === 'existing' ? join : undefined;
  const { memtableBytes, ...logSizes } = sizes;
  const engineSizes = memtableBytes === undefined ? {} : { memtableBytes };
  const engine = await openEngine({
    env,
    directory: directory.db,
    keyspaces: storeKeyspaces,
    wal: 'none',
    logger,
    ...engineSizes,
    onFatal,
  });
  opened.engine = engine;
  const store = new Store(engine);
  const bootstrap = bootstrapOf(config);
  // A member that joins begins with nothing: the cluster sends it a snapshot.
  if (!store.isBootstrapped && !directory.initialized && !joins) await store.bootstrap(bootstrap.members);
  const identity = joins ?? bootstrap.identity;
  const log = await RaftLog.open({ env, logger, directory: directory.raft, identity, ...logSizes, onFatal });
  opened.log = log;
  checkTogether(store, log, config.dataDirectory);
  await directory.markInitialized();
  return { engine, store, log };
}

/** The log and the store must belong together: the log goes on where the store stands. */
function checkTogether(store: Store, log: RaftLog, path: string): void {
  const { appliedIndex } = store.state;
  const member = hexId(log.identity.memberId);
  if (!store.isBootstrapped && log.lastIndex() === 0) return; // It joins, and waits for a snapshot.
  if (!store.isBootstrapped)
    throw new ServerError('corrupt', `${path}/db: holds no members, but this member has run before: restore the directory from a backup`);
  if (store.isRemoved(log.identity.memberId))
    throw new ServerError(
      'removed',
      `member ${member} was removed from the cluster: to bring this machine back, remove ${path}, add the member, and start with --initial-cluster-state existing`,
    );
  if (appliedIndex < log.firstIndex() - 1 || appliedIndex > log.lastIndex())
    throw new ServerError(
      'corrupt',
      `${path}: the store has applied up to entry ${appliedIndex}, but the log has entries ${log.firstIndex()} to ${log.lastIndex()}: raft/ and db/ do not belong together`,
    );
}
