// Puts a received snapshot in the place of what a member has: the engine's directory `db/`, and the Raft log `raft/`, which begins anew behind
// the snapshot. The member is stopped meanwhile, and starts on it as after any restart. A crash at any point leaves the old state whole or the
// new one to be finished by the next start:
//
//   1. `snapshot.in/db` and `snapshot.in/raft` are complete and durable.
//   2. The file INSTALL appears, and says `clear`: from here on the old state is given up.
//   3. `db/` and `raft/` are emptied.
//   4. INSTALL says `move`.
//   5. Every file of `snapshot.in` gets a second name in `db/` or `raft/`.
//   6. What tells a receiver that it could go on with the files of `snapshot.in` goes: they are those of the engine now. Then INSTALL, then the rest.
import { type LogIndex, type Term, fromUtf8, logIndex } from '@distrokv/base';
import type { Env, FileSystem, Logger } from '@distrokv/env';
import type { HardState } from '@distrokv/raft';
import { ServerError } from '../errors.ts';
import type { LogIdentity } from '../raft-log/codec.ts';
import { RaftLog } from '../raft-log/raft-log.ts';
import { namesIn, removeTree, writeWhole } from '../files.ts';

const INSTALL = 'INSTALL';
/** In `snapshot.in`: which snapshot the files there are of. */
export const ID_FILE = 'ID';
const PARTS = ['db', 'raft'] as const;

export function incomingDirectory(dataDirectory: string): string {
  return `${dataDirectory}/snapshot.in`;
}

export function incomingDb(dataDirectory: string): string {
  return `${incomingDirectory(dataDirectory)}/db`;
}

export interface InstallOptions {
  readonly env: Env;
  readonly logger: Logger;
  readonly dataDirectory: string;
  readonly identity: LogIdentity;
  /** The last that was durable: what this member promised stays promised. */
  readonly hardState: HardState;
  /** Where the snapshot ends. */
  readonly index: LogIndex;
  readonly term: Term;
}

/** Steps 1 and 2: from here on the snapshot is what this member has. Everything in the directory is closed. */
export async function beginInstall(options: InstallOptions): Promise<void> {
  const { env, logger, dataDirectory, identity, hardState, index, term } = options;
  const incoming = incomingDirectory(dataDirectory);
  const directory = `${incoming}/raft`;
  await removeTree(env.fs, directory);
  const isNewTerm = hardState.term < term;
  const promised = { term: isNewTerm ? term : hardState.term, vote: isNewTerm ? undefined : hardState.vote, commit: logIndex(index) };
  const start = { previousIndex: index, previousTerm: term, hardState: promised };
  const onFatal = (): void => {};
  const log = await RaftLog.open({ env, logger, directory, identity, start, onFatal });
  await log.close();
  await env.fs.syncDirectory(incomingDb(dataDirectory));
  await env.fs.syncDirectory(incoming);
  await writeWhole(env.fs, dataDirectory, INSTALL, 'clear');
}

/** Steps 3 to 6, as far as they are still to do; nothing when no installation was begun. */
export async function finishInstall(fs: FileSystem, dataDirectory: string): Promise<void> {
  const marker = `${dataDirectory}/${INSTALL}`;
  if ((await fs.sizeOf(marker)) === undefined) return;
  const step = fromUtf8(await fs.readFile(marker, 100));
  if (step !== 'clear' && step !== 'move')
    throw new ServerError('corrupt', `${marker}: says ${JSON.stringify(step)}, which this version does not know: nothing was changed`);
  const incoming = incomingDirectory(dataDirectory);
  if (step === 'clear') {
    for (const part of PARTS) await empty(fs, `${dataDirectory}/${part}`);
    await writeWhole(fs, dataDirectory, INSTALL, 'move');
  }
  for (const part of PARTS) await linkAll(fs, `${incoming}/${part}`, `${dataDirectory}/${part}`);
  await forget(fs, incoming);
  await fs.removeFile(marker);
  await fs.syncDirectory(dataDirectory);
  await removeTree(fs, incoming);
}

/** So that no receiver takes what a crash leaves of it for its own, and writes to it. */
async function forget(fs: FileSystem, incoming: string): Promise<void> {
  if ((await fs.sizeOf(`${incoming}/${ID_FILE}`)) === undefined) return;
  await fs.removeFile(`${incoming}/${ID_FILE}`);
  await fs.syncDirectory(incoming);
}

async function empty(fs: FileSystem, directory: string): Promise<void> {
  await removeTree(fs, directory);
  await fs.makeDirectory(directory);
  await fs.syncDirectory(directory);
}

async function linkAll(fs: FileSystem, from: string, to: string): Promise<void> {
  await fs.makeDirectory(to);
  const there = new Set(await namesIn(fs, to));
  for (const name of await namesIn(fs, from)) if (!there.has(name)) await fs.link(`${from}/${name}`, `${to}/${name}`);
  await fs.syncDirectory(to);
}
