// What a member has on disk, opened and checked against itself: the data directory, the engine with the store in it, and the Raft log. At the
// first start it is written in an order that a crash at any point leaves to be finished by the next start.
import { hexId } from '@distrokv/base';
import type { Env, Logger } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';
import { Store, storeKeyspaces } from '@distrokv/mvcc';
import type { ServerConfig } from './config.ts';
import { type DataDirectory, asServerError, openDataDirectory } from './data-directory.ts';
import { ServerError } from './errors.ts';
import { bootstrapOf } from './identity.ts';
import { RaftLog } from './raft-log/raft-log.ts';

const LAST_FLUSH_MS = 10_000;

export interface Storage {
  readonly directory: DataDirectory;
  readonly engine: Engine;
  readonly store: Store;
  readonly log: RaftLog;
  /** Flushes what is in memory, if the engine still can, and closes everything. */
  close(options: { readonly flush: boolean }): Promise<void>;
}

/** How much is kept in memory and in one file; the defaults of the engine and of the log where it says nothing. */
export interface StorageSizes {
  readonly memtableBytes?: number;
  readonly segmentBytes?: number;
  readonly recentBytes?: number;
}

export interface StorageOptions {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly logger: Logger;
  readonly sizes?: StorageSizes;
  /** A disk failed under the engine or the log. */
  readonly onFatal: (error: unknown) => void;
}

/** Throws ServerError; then everything is closed again. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { config, env } = options;
  const path = config.dataDirectory;
  const directory = await openDataDirectory(env.fs, path);
  const opened: { engine?: Engine; log?: RaftLog } = {};
  const close = async ({ flush }: { flush: boolean }): Promise<void> => {
    if (flush && opened.engine) await lastFlush(opened.engine, env);
    await opened.log?.close();
    await opened.engine?.close();
    await directory.release();
  };
  try {
    return { directory, ...(await openParts(options, directory, opened)), close };
  } catch (error) {
    await close({ flush: false });
    throw asServerError(error, path);
  }
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
  { config, env, logger, sizes = {}, onFatal }: StorageOptions,
  directory: DataDirectory,
  opened: { engine?: Engine; log?: RaftLog },
): Promise<{ engine: Engine; store: Store; log: RaftLog }> {
  if (!directory.initialized && config.initialClusterState === 'existing')
    throw new ServerError(
      'invalid-config',
      'initial-cluster-state: existing: this version cannot join a running cluster yet; start with --initial-cluster-state new',
    );
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
  if (!store.isBootstrapped) {
    if (directory.initialized)
      throw new ServerError(
        'corrupt',
        `${directory.db}: holds no members, but this member has run before: restore the directory from a backup`,
      );
    await store.bootstrap(bootstrap.members);
  }
  const log = await RaftLog.open({ env, logger, directory: directory.raft, identity: bootstrap.identity, ...logSizes, onFatal });
  opened.log = log;
  checkTogether(store, log, config.dataDirectory);
  await directory.markInitialized();
  return { engine, store, log };
}

/** The log and the store must belong together: the log goes on where the store stands. */
function checkTogether(store: Store, log: RaftLog, path: string): void {
  const { appliedIndex } = store.state;
  const member = hexId(log.identity.memberId);
  if (!store.members.some((m) => m.id === log.identity.memberId))
    throw new ServerError(
      'wrong-member',
      `${path}: the log is of member ${member}, which the store does not know: raft/ and db/ are not of the same member`,
    );
  if (appliedIndex < log.firstIndex() - 1 || appliedIndex > log.lastIndex())
    throw new ServerError(
      'corrupt',
      `${path}: the store has applied up to entry ${appliedIndex}, but the log has entries ${log.firstIndex()} to ${log.lastIndex()}: raft/ and db/ do not belong together`,
    );
}
