// The command `server` on the command line, made from the table of flags.
import { type Command, Option } from 'commander';
import type { Host } from '../host.ts';
import { ignoredFlags, refusedFlags } from './etcd-flags.ts';
import { findServerFlag, serverFlags } from './flags.ts';
import type { GivenValue } from './settings.ts';

const examples = `
Values come from flags, then from the environment (DISTROKV_DATA_DIR, then ETCD_DATA_DIR), then from the defaults.
With --config-file, only from the file.

Examples:
  distrokv server
  distrokv server --name n1 --data-dir /var/lib/distrokv --listen-client-urls http://10.0.0.1:2379
  distrokv server --config-file etcd.conf.yml
  distrokv server node1 50051        the ancestor's form: member node1, clients on port 50051 of every address

A member of three, each on its own machine (here the first):
  distrokv server --name n1 \\
    --listen-client-urls http://10.0.0.1:2379 --listen-peer-urls http://10.0.0.1:2380 \\
    --initial-cluster n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380,n3=http://10.0.0.3:2380
`;

/** The parent process speaks to the person; set by `distrokv cluster` alone. */
export const supervisedFlag = '--supervised';

export function addServerCommand(program: Command, host: Host): void {
  const command = program
    .command('server')
    .description('run one member: alone, or with others as a cluster')
    .argument('[name]', "the ancestor's form: name of the member")
    .argument('[client-port]', "the ancestor's form: port for clients")
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', examples);
  let group = '';
  for (const flag of serverFlags) {
    if (flag.group !== group) command.optionsGroup(`${capitalized((group = flag.group))}:`);
    const shown = flag.shownDefault === '' ? '' : ` (default: ${flag.shownDefault})`;
    command.addOption(new Option(`--${flag.name} ${flag.kind === 'boolean' ? '[BOOL]' : `<${flag.placeholder}>`}`, `${flag.help}${shown}`));
  }
  for (const flag of [...ignoredFlags, ...refusedFlags])
    command.addOption(new Option(`--${flag.name} ${flag.kind === 'boolean' ? '[value]' : '<value>'}`).hideHelp());
  command.addOption(new Option(supervisedFlag).hideHelp());
  command.action(async (name: string | undefined, clientPort: string | undefined) => {
    const [{ runServer }, { startServer }] = await Promise.all([import('./run.ts'), import('@distrokv/server')]);
    const words = name === undefined ? ([] as const) : clientPort === undefined ? ([name] as const) : ([name, clientPort] as const);
    await runServer(host, { words, flags: givenFlags(command), supervised: command.getOptionValue('supervised') === true }, startServer);
  });
}

/** The flags that stood on the command line. */
function givenFlags(command: Command): GivenValue[] {
  return command.options.flatMap((option) => {
    const value: unknown = command.getOptionValue(option.attributeName());
    const source = option.long ?? option.flags;
    const flag = source.replace(/^--/, '');
    if (value === true && findServerFlag(flag)) return [{ flag, value: 'true', source }];
    return typeof value === 'string' ? [{ flag, value, source }] : [];
  });
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
