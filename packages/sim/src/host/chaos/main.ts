// `npm run chaos`: real nodes on this machine, harmed while clients work; the simulator's judges decide.
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { measureFailover } from './failover.ts';
import type { Program } from './nodes.ts';

const HELP = `Real nodes on this machine under load: kill -9, SIGSTOP, cut and slow connections; then the judges of the simulator.

  npm run chaos                        3 nodes, 30 seconds
  npm run chaos -- --nodes 5 --seconds 120 --seed 7
  npm run chaos -- --failover 20       kills the leader 20 times under the load of ten writers: how long until writes go on
  npm run chaos -- --failover 20 --versus    the same, in turn with an installed etcd

options
  --program etcd    the same with an installed etcd, for comparison`;

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(0);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, from ${at(0)} ms`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string', default: `${Math.floor(Date.now() / 1000) % 1_000_000}` },
      failover: { type: 'string' },
      versus: { type: 'boolean', default: false },
      program: { type: 'string', default: 'distrokv' },
      help: { type: 'boolean', default: false },
    },
  });
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const program: Program = values.program === 'etcd' ? 'etcd' : 'distrokv';
  if (values.help) {
    say(HELP);
    return 0;
  }
  if (values.failover !== undefined) {
    const programs: readonly Program[] = values.versus ? ['distrokv', 'etcd'] : [program];
    const found = await measureFailover(programs, Number(values.failover), ({ program: which, firstMs, allMs, writesBefore }) =>
      say(
        `${which}: writes go on after ${firstMs.toFixed(0)} ms, of every writer after ${allMs.toFixed(0)} ms (before: ${writesBefore} writes/s)`,
      ),
    );
    for (const each of programs) {
      const own = found.filter((failover) => failover.program === each);
      say(
        `${each}: ${own.length} times; first write ${spread(own.map(({ firstMs }) => firstMs))}; every writer ${spread(own.map(({ allMs }) => allMs))}`,
      );
    }
    return 0;
  }
  const options = { nodes: Number(values.nodes), seconds: Number(values.seconds), seed: Number(values.seed), program };
  say(`${program}: ${options.nodes} nodes, ${options.seconds} s, seed ${options.seed}`);
  const report = await runChaos({ ...options, onEvent: say });
  say(
    `passed: ${report.answered} of ${report.operations} operations answered, ${report.unknown} in doubt, ${report.revision} revisions; ${JSON.stringify(report.faults)}`,
  );
  return 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();
