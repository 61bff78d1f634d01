// The commands on a store's own files, on the command line. What they do is loaded when one is called.
import type { Command } from 'commander';
import type { Host } from '../host.ts';

const examples = `
Examples:
  distrokv lsm inspect default.distrokv
  distrokv lsm dump default.distrokv/db/000007.sst | less
  distrokv lsm verify default.distrokv
  distrokv lsm bench --keys 1000000

DIR is the directory with the file "manifest", or a member's data directory, which has it in db/. verify and inspect change nothing, but what they
say of a store that a process is writing to may be out of date.
`;

export function addLsmCommands(program: Command, host: Host): void {
  const lsm = program.command('lsm').description('look into the files of a store, check them, repair them').addHelpText('after', examples);
  lsm
    .command('inspect')
    .description('levels and tables: sizes, key ranges, counts')
    .argument('<dir>', 'directory of the store, or the data directory of a member')
    .action(async (directory: string, _: object, command: Command) => {
      const [{ runInspect }, store, format] = await Promise.all([import('./inspect.ts'), storeIn(directory), formatOf(command, host)]);
      await runInspect(host, store, format);
    });
  lsm
    .command('dump')
    .description('everything that is in one file, piece by piece')
    .argument('<file>', 'a table (.sst), a segment of the log (.wal) or the manifest')
    .action(async (file: string, _: object, command: Command) => {
      const [{ runDump }, format] = await Promise.all([import('./dump.ts'), formatOf(command, host)]);
      await runDump(host, file, format);
    });
  lsm
    .command('verify')
    .description('read every byte and check it; exit code 1 if something is damaged')
    .argument('<dir>', 'directory of the store, or the data directory of a member')
    .action(async (directory: string, _: object, command: Command) => {
      const [{ runVerify }, store, format] = await Promise.all([import('./verify.ts'), storeIn(directory), formatOf(command, host)]);
      await runVerify(host, store, format);
    });
  lsm
    .command('repair')
    .description('make a store that does not open work again with what is sound; what was there is kept in DIR/lost')
    .argument('<dir>', 'directory of the store, or the data directory of a member')
    .option(
      '--keyspace <name=mode...>',
      'a keyspace and its mode, caller or latest, in the order in which they were made; only when the manifest is lost',
    )
    .action(async (directory: string, flags: { keyspace?: string[] }, command: Command) => {
      const [{ runRepair }, store, format] = await Promise.all([import('./verify.ts'), storeIn(directory), formatOf(command, host)]);
      await runRepair(host, store, flags.keyspace, format);
    });
  lsm
    .command('bench')
    .description('how fast the engine is here: fills, gets, scans')
    .option('--keys <n>', 'number of keys', '200000')
    .option('--value-bytes <n>', 'size of a value', '100')
    .option('--dir <dir>', 'an empty directory on the disk to measure (default: one among the temporary files); it is left empty')
    .action(async (flags: { keys: string; valueBytes: string; dir?: string }, command: Command) => {
      const [{ runBench }, format] = await Promise.all([import('./bench.ts'), formatOf(command, host)]);
      await runBench(host, flags, format);
    });
}

async function storeIn(directory: string): Promise<string> {
  return (await import('./store-directory.ts')).storeDirectory(directory);
}

/** For people, or for programs. */
export type LsmFormat = 'text' | 'json';

async function formatOf(command: Command, host: Host): Promise<LsmFormat> {
  const [{ readGlobals }, { usage }] = await Promise.all([import('../client/globals.ts'), import('../errors.ts')]);
  const { format } = readGlobals(command, host);
  if (format === 'fields') throw usage('--write-out: the lsm commands print a table, or json');
  return format === 'json' ? 'json' : 'text';
}
