// `distrokv cluster`: several members on this machine, each a process of its own, under one log. When one ends, the others go
// on, as they would on machines of their own.
import picocolors from 'picocolors';
import { CommandError } from '../errors.ts';
import { type Host, usesColour } from '../host.ts';
import { isPortFree } from '../ports.ts';
import { readyLine, whatToTry } from '../server/announce.ts';
import { version } from '../version.ts';
import { type MemberProcess, startMemberProcess } from './member-process.ts';
import { type ClusterOptions, planCluster, type PlannedMember, quorumOf } from './plan.ts';

/** How long a member may take to stop before it is ended. */
const patienceMs = 10_000;
const colours = ['cyan', 'yellow', 'magenta', 'green', 'blue'] as const;

/** Resolves when all members have stopped because they were asked to. Throws CommandError. */
export async function runCluster(host: Host, options: ClusterOptions): Promise<void> {
  const plan = planCluster(options);
  await refuseBusyPorts(plan);
  const say = speaker(host);
  host.becomeServer((error) => say.own(String(error)));
  say.own(`DistroKV ${version}: ${plan.length} members on this machine, data in ${options.dataDirectory}`);
  const members = new Map(plan.map((planned, i) => [planned, start(host, planned, (line) => say.member(planned.name, i, line))]));
  let stopping = false;
  host.onStopRequest(() => {
    stopping = true;
    say.own('stopping');
    for (const member of members.values()) member.stop(patienceMs);
  });
  void Promise.all([...members.values()].map((member) => member.ready)).then(() => {
    say.own(plan.map(({ name, clientPort }) => `${name} serves clients on 127.0.0.1:${clientPort}`).join(', '));
    say.own(readyLine);
    for (const line of whatToTry(`127.0.0.1:${plan[0]?.clientPort}`).trimEnd().split('\n')) say.own(line);
    say.own('Ctrl-C stops all members');
  });
  let left = plan.length;
  await Promise.all(
    [...members].map(async ([planned, member]) => {
      const how = await member.ended;
      left--;
      if (!stopping) say.own(describeLoss(planned, how, left, plan.length));
    }),
  );
  if (!stopping) throw new CommandError('failed', 'all members have ended');
}

async function refuseBusyPorts(plan: readonly PlannedMember[]): Promise<void> {
  const ports = plan.flatMap(({ clientPort, peerPort }) => [clientPort, peerPort]);
  const free = await Promise.all(ports.map((port) => isPortFree(port, '127.0.0.1')));
  const busy = ports.filter((_, i) => !free[i]);
  if (busy.length > 0)
    throw new CommandError(
      'failed',
      `port ${busy.join(', ')} in use: stop what listens there (another cluster?), or take others with --base-port`,
    );
}

/** Settings of a server in the environment are not meant for each of several: they stay out. */
function start(host: Host, planned: PlannedMember, onLine: (line: string) => void): MemberProcess {
  const inherited = Object.entries(host.env).filter(([name]) => !/^(DISTROKV|ETCD)_/.test(name));
  const colour = usesColour(host.stdout, host.env) ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
  return startMemberProcess({ args: planned.args, env: { ...Object.fromEntries(inherited), ...colour }, onLine });
}

export function describeLoss(planned: PlannedMember, how: string, left: number, nodes: number): string {
  const enough = left >= quorumOf(nodes) ? 'enough to go on' : 'too few to serve';
  return `${planned.name} ${how}: ${left} of ${nodes} members are left, ${enough}. Start it again with: npx distrokv ${planned.args.join(' ')}`;
}

interface Speaker {
  own(line: string): void;
  member(name: string, index: number, line: string): void;
}

function speaker(host: Host): Speaker {
  const paint = picocolors.createColors(usesColour(host.stdout, host.env));
  return {
    own: (line) => host.stdout.write(line === '' ? '\n' : `${paint.bold('cluster')} | ${line}\n`),
    member: (name, index, line) => {
      const colour = colours[index % colours.length] ?? 'cyan';
      host.stdout.write(`${paint[colour](name.padEnd('cluster'.length))} | ${line}\n`);
    },
  };
}
