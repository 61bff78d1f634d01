// The command line as a whole: builds the commands, reads the arguments, and turns every end into an exit code and at most
// one line on standard error.
import { CodedError } from '@distrokv/base';
import { Command, CommanderError } from 'commander';
import { normalizeArguments } from './arguments.ts';
import { addClientCommands, addGlobalOptions } from './client/commands.ts';
import { addClusterCommand } from './cluster/command.ts';
import { CommandError, exitCodes } from './errors.ts';
import type { Host } from './host.ts';
import { addLsmCommands } from './lsm/commands.ts';
import { addServerCommand } from './server/command.ts';
import { etcdApiVersion, version } from './version.ts';

const examples = `
Start here:
  distrokv server                    one member on this machine, for clients on 127.0.0.1:2379
  distrokv cluster                   three members on this machine
  distrokv put greeting hello        write (in another terminal)
  distrokv get greeting              read
  distrokv status                    how the endpoints are

"distrokv COMMAND --help" tells more of a command. All etcd clients work too, etcdctl among them.
`;

/** Commands of etcdctl for which somebody may look here, and for whom the name that is nearest is no help. */
const etcdctlOnly: ReadonlySet<string> = new Set(['auth', 'check', 'downgrade', 'make-mirror', 'move-leader', 'role', 'snapshot', 'user']);

export function createProgram(host: Host): Command {
  const program = new Command('distrokv')
    .description('A strongly consistent, replicated key-value store that serves the etcd v3 API.')
    .version(`distrokv ${version} (etcd API ${etcdApiVersion})`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', examples);
  addGlobalOptions(program);
  addServerCommand(program, host);
  addClusterCommand(program, host);
  addClientCommands(program, host);
  addLsmCommands(program, host);
  explainMistakes(program, 'distrokv');
  return program;
}

/** A mistake is one line, which ends in where to read more: the help of the command that it was made in. */
function explainMistakes(command: Command, name: string): void {
  command.configureOutput({ outputError: (text, write) => write(asOneLine(text, name)) });
  for (const below of command.commands) explainMistakes(below, `${name} ${below.name()}`);
}

/** Runs one command line (without the program's name). Resolves to the exit code; throws on a bug only. */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  const program = createProgram(host);
  try {
    const words = argv.length === 0 ? ['--help'] : normalizeArguments(argv, program);
    await program.parseAsync(words, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    // Commander has printed its errors itself; its help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (!(error instanceof CodedError)) throw error;
    host.stderr.write(`Error: ${await describe(error)}\n`);
    return isUsage(error) ? exitCodes.usage : exitCodes.failed;
  }
}

/** "error: unknown option '--prefx'\n(Did you mean --prefix?)" as one line in the house's form. */
function asOneLine(text: string, command: string): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ');
  const [known, verb = ''] = /^unknown command '([^']*)'/.exec(message) ?? [];
  if (known !== undefined && etcdctlOnly.has(verb)) return `Error: ${known}: etcdctl has it; it is not here yet\n`;
  return `Error: ${message} (see "${command} --help")\n`;
}

async function describe(error: CodedError<string>): Promise<string> {
  const { ClientError } = await import('@distrokv/client');
  if (!(error instanceof ClientError)) return error.message.replace(/\s+/g, ' ');
  return (await import('./client/explain.ts')).advise(error);
}

/** Settings that make no sense are the writer's, whoever found it: this package, the server's checks or the client's. */
function isUsage(error: CodedError<string>): boolean {
  if (error instanceof CommandError) return error.code === 'usage';
  return error.code === 'invalid-config' || error.code === 'invalid-endpoint';
}
