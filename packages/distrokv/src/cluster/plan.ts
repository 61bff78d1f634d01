// The members of a cluster on this machine: names, ports, directories, and the command line that starts each. Pure.
import { join } from 'node:path';
import { usage } from '../errors.ts';

export interface ClusterOptions {
  readonly nodes: number;
  readonly dataDirectory: string;
  /** First of the ports to use in a row; undefined for 2379 and 2380, 22379 and 22380, 32379 and 32380 … */
  readonly basePort: number | undefined;
  readonly logLevel: string | undefined;
}

export interface PlannedMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Arguments of `distrokv` that start it; a person can paste them. */
  readonly args: readonly string[];
}

const maxNodes = 5;

/** Throws CommandError `usage`. */
export function planCluster(options: ClusterOptions): PlannedMember[] {
  const { nodes, basePort } = options;
  if (!(nodes >= 1 && nodes <= maxNodes)) throw usage(`--nodes: from 1 to ${maxNodes} members`);
  const lastBasePort = 65_536 - 2 * nodes;
  if (basePort !== undefined && !(basePort >= 1 && basePort <= lastBasePort)) throw usage(`--base-port: a port from 1 to ${lastBasePort}`);
  const places = Array.from({ length: nodes }, (_, i) => {
    const first = basePort === undefined ? 2379 + (i === 0 ? 0 : (i + 1) * 10_000) : basePort + 2 * i;
    return { name: `node${i + 1}`, clientPort: first, peerPort: first + 1 };
  });
  const everyone = places.map(({ name, peerPort }) => `${name}=${url(peerPort)}`).join();
  return places.map((place) => ({ ...place, args: argumentsOf(place, everyone, options) }));
}

function argumentsOf(place: Omit<PlannedMember, 'args'>, everyone: string, options: ClusterOptions): string[] {
  const flags: [string, string][] = [
    ['--name', place.name],
    ['--data-dir', join(options.dataDirectory, place.name)],
    ['--listen-client-urls', url(place.clientPort)],
    ['--listen-peer-urls', url(place.peerPort)],
    ['--initial-cluster', everyone],
    ['--initial-cluster-token', 'distrokv-local'],
  ];
  if (options.logLevel !== undefined) flags.push(['--log-level', options.logLevel]);
  return ['server', ...flags.flat()];
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** How many members must run for the cluster to serve. */
export function quorumOf(nodes: number): number {
  return Math.floor(nodes / 2) + 1;
}
