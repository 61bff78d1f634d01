// lsm verify and lsm repair: what is damaged, and what can be done about it.
import { dirname, join, resolve } from 'node:path';
import { type FileSystem, FsError, createNodeEnv } from '@distrokv/env';
import { type KeyspaceOptions, type VerifyProgress, type VerifyReport, repairStore, verifyStore } from '@distrokv/lsm';
import { stopSignal } from '../client/stopping.ts';
import { CommandError, usage } from '../errors.ts';
import type { Host } from '../host.ts';
import { formatSize } from '../output/format.ts';
import type { LsmFormat } from './commands.ts';
import { toJson } from './json.ts';
import { ProgressBar } from './progress.ts';

export async function runVerify(host: Host, directory: string, format: LsmFormat): Promise<void> {
  const bar = new ProgressBar(host);
  const signal = stopSignal(host);
  let percent = 0;
  const onProgress = ({ doneBytes, totalBytes }: VerifyProgress): void => {
    percent = Math.floor((doneBytes * 100) / totalBytes);
    bar.show(doneBytes / totalBytes);
  };
  let report: VerifyReport;
  try {
    report = await verifyStore(createNodeEnv(), directory, { onProgress, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CommandError('failed', `stopped when ${percent} % were read; whether ${directory} is sound is not known`);
  } finally {
    bar.end();
  }
  const { faults, tables, tableBytes, segments } = report;
  if (format === 'json') host.stdout.write(`${toJson(report)}\n`);
  else {
    for (const { file, offset, what, advice } of faults) host.stdout.write(`${file} at byte ${offset}: ${what}\n  ${advice}\n`);
    host.stdout.write(`tables: ${tables} (${formatSize(tableBytes)}), segments of the log: ${segments}, `);
    host.stdout.write(faults.length === 0 ? 'no damage\n' : `faults: ${faults.length}\n`);
  }
  if (faults.length === 0) return;
  if (await isInUse(directory))
    throw new CommandError(
      'failed',
      `${directory} is damaged (faults: ${faults.length}), or was changed meanwhile: a process works on it; stop that, and verify again`,
    );
  throw new CommandError('failed', `${directory} is damaged (faults: ${faults.length})`);
}

export async function runRepair(host: Host, directory: string, keyspaces: readonly string[] | undefined, format: LsmFormat): Promise<void> {
  const options = keyspaces === undefined ? {} : { keyspaces: keyspaces.map(parseKeyspace) };
  const env = createNodeEnv();
  // Where there is no store, not even a lock is left; the repair says so.
  const isStore = (await env.fs.readDirectory(directory)).some((name) => name === 'manifest' || /\.(sst|wal)$/.test(name));
  const lock = isStore ? await env.fs.lock(await lockPath(env.fs, directory)) : undefined;
  try {
    const report = await repairStore(env, directory, options);
    const { faults, lostDirectory, tables, entries, lostTables, lostBlocks, lostLogBytes } = report;
    if (format === 'json') host.stdout.write(`${toJson(report)}\n`);
    else if (faults.length === 0) host.stdout.write(`${directory} is sound; nothing was changed\n`);
    else
      host.stdout.write(
        `repaired: entries ${entries}, tables ${tables}\n` +
          `lost: tables ${lostTables}, blocks of other tables ${lostBlocks}, bytes of the log ${lostLogBytes}\n` +
          `the files as they were are in ${lostDirectory}; remove them when nobody needs them any more\n`,
      );
  } finally {
    await lock?.release();
  }
}

/** Whether a process holds the store, as far as its lock tells. */
async function isInUse(directory: string): Promise<boolean> {
  const { fs } = createNodeEnv();
  const path = await lockPath(fs, directory);
  // Nothing is made where nothing was.
  if (!(await fs.readDirectory(dirname(path))).includes('LOCK')) return false;
  try {
    await (await fs.lock(path)).release();
    return false;
  } catch (error) {
    return error instanceof FsError && error.code === 'locked';
  }
}

/** The lock of a member's data directory, if the store is in one, else that of the store's own. */
async function lockPath(fs: FileSystem, directory: string): Promise<string> {
  const own = resolve(directory);
  const parent = dirname(own);
  return join((await fs.readDirectory(parent)).includes('LOCK') ? parent : own, 'LOCK');
}

function parseKeyspace(text: string): KeyspaceOptions {
  const [, name, versions] = /^(.+)=(caller|latest)$/.exec(text) ?? [];
  if (name === undefined || (versions !== 'caller' && versions !== 'latest'))
    throw usage(`--keyspace: ${JSON.stringify(text)} is not of the form NAME=caller or NAME=latest`);
  return { name, versions };
}
