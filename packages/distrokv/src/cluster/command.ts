// The command `cluster` on the command line.
import type { Command } from 'commander';
import { usage } from '../errors.ts';
import type { Host } from '../host.ts';

const examples = `
Member 1 serves clients on port 2379 and the other members on 2380; member 2 on 22379 and 22380; member 3 on 32379 and 32380.
With --base-port 7000: 7000 and 7001, 7002 and 7003, 7004 and 7005. A data directory keeps the ports it was made with.

Examples:
  distrokv cluster
  distrokv cluster --nodes 5 --data-dir /tmp/five
`;

interface ClusterFlags {
  readonly nodes: string;
  readonly dataDir: string;
  readonly basePort?: string;
  readonly logLevel?: string;
}

export function addClusterCommand(program: Command, host: Host): void {
  program
    .command('cluster')
    .description('run a whole cluster on this machine, one process a member, to try things out')
    .configureHelp({ showGlobalOptions: false })
    .option('--nodes <n>', 'number of members; an odd one is wise', '3')
    .option('--data-dir <dir>', 'directory with one directory per member', 'cluster.distrokv')
    .option('--base-port <port>', "first of the ports to use, in a row (default: etcd's, see below)")
    .option('--log-level <level>', 'least severe messages that the members log (default: info)')
    .addHelpText('after', examples)
    .action(async (flags: ClusterFlags) => {
      const { runCluster } = await import('./run.ts');
      await runCluster(host, {
        nodes: wholeNumber(flags.nodes, '--nodes'),
        dataDirectory: flags.dataDir,
        basePort: flags.basePort === undefined ? undefined : wholeNumber(flags.basePort, '--base-port'),
        logLevel: flags.logLevel,
      });
    });
}

function wholeNumber(text: string, flag: string): number {
  if (!/^\d{1,6}$/.test(text)) throw usage(`${flag}: ${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}
