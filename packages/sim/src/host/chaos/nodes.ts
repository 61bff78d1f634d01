// Real nodes as processes on this machine, of this project or of etcd: both know the same flags.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Channel, createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { TcpProxy } from './proxy.ts';

export type Program = 'distrokv' | 'etcd';

const START_MS = 120_000;
const POLL_MS = 50;
const distrokv = fileURLToPath(new URL('../../../../distrokv/bin/distrokv.mjs', import.meta.url));

export interface Node {
  readonly name: string;
  readonly endpoint: string;
  readonly proxy: TcpProxy;
  /** On which everybody but this class calls it. */
  readonly channel: Channel;
}

export class Nodes implements AsyncDisposable {
  readonly nodes: readonly Node[];
  readonly #program: Program;
  readonly #directory = mkdtempSync(join(tmpdir(), 'distrokv-chaos-'));
  readonly #peerPorts: readonly number[];
  readonly #children = new Map<Node, ChildProcess>();

  private constructor(program: Program, nodes: readonly Node[], peerPorts: readonly number[]) {
    this.#program = program;
    this.nodes = nodes;
    this.#peerPorts = peerPorts;
    process.once('exit', this.#killAll);
  }

  /** No node outlives this process. */
  readonly #killAll = (): void => {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  };

  static async start(program: Program, count: number): Promise<Nodes> {
    const peerPorts: number[] = [];
    const proxies = await Promise.all(Array.from({ length: count }, (_, i) => TcpProxy.start(() => peerPorts[i] as number)));
    const ports = await freePorts(2 * count);
    peerPorts.push(...ports.slice(count));
    const nodes = proxies.map((proxy, i): Node => {
      const endpoint = `127.0.0.1:${ports[i]}`;
      return { name: `n${i + 1}`, endpoint, proxy, channel: createChannel(endpoint, { maxReconnectMs: 100 }) };
    });
    const cluster = new Nodes(program, nodes, peerPorts);
    for (const node of nodes) cluster.launch(node);
    await Promise.all(nodes.map((node) => cluster.serves(node)));
    return cluster;
  }

  isRunning(node: Node): boolean {
    return this.#children.has(node);
  }

  launch(node: Node): void {
    if (this.#children.has(node)) return;
    const url = (port: number | string): string => `http://127.0.0.1:${port}`;
    const flags = {
      name: node.name,
      'data-dir': join(this.#directory, node.name),
      'listen-client-urls': `http://${node.endpoint}`,
      'advertise-client-urls': `http://${node.endpoint}`,
      'listen-peer-urls': url(this.#peerPorts[this.nodes.indexOf(node)] as number),
      'initial-advertise-peer-urls': url(node.proxy.port),
      'initial-cluster': this.nodes.map(({ name, proxy }) => `${name}=${url(proxy.port)}`).join(','),
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const [command, before] = this.#program === 'etcd' ? ['etcd', []] : [process.execPath, [distrokv, 'server']];
    const child = spawn(command, [...before, ...args], { stdio: 'ignore' });
    this.#children.set(node, child);
    child.once('exit', () => {
      if (this.#children.get(node) === child) this.#children.delete(node);
    });
  }

  /** Resolves when the node answers a linearizable read. */
  async serves(node: Node): Promise<void> {
    const request = pb.RangeRequest.create({ key: new Uint8Array([0]) });
    for (const endMs = performance.now() + START_MS; performance.now() < endMs;) {
      const isThere = await node.channel.unary(pb.KV.methods.range, request, { timeoutMs: 2000 }).then(
        () => true,
        () => false,
      );
      if (isThere) return;
      await sleep(POLL_MS);
    }
    throw new Error(`${node.name} does not serve within ${START_MS / 1000} s`);
  }

  async leader(): Promise<Node> {
    for (const endMs = performance.now() + START_MS; performance.now() < endMs; await sleep(POLL_MS)) {
      for (const node of this.nodes) {
        const status = await node.channel
          .unary(pb.Maintenance.methods.status, pb.StatusRequest.create(), { timeoutMs: 1000 })
          .catch(() => undefined);
        if (status !== undefined && status.leader === status.header?.memberId) return node;
      }
    }
    throw new Error('no node leads');
  }

  signal(node: Node, signal: NodeJS.Signals): void {
    this.#children.get(node)?.kill(signal);
  }

  async kill(node: Node): Promise<void> {
    const child = this.#children.get(node);
    if (!child) return;
    this.#children.delete(node);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) {
      await this.kill(node);
      node.channel.close();
      node.proxy.close();
    }
    process.off('exit', this.#killAll);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Below the ports that systems give to connections by themselves: one of those may be taken between the look and the listening, or while a node is down. */
const PORTS = { from: 10_000, count: 22_000 };
let nextPort = process.pid * 64;

/** Ports that nobody listens on, all different. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = PORTS.from + (nextPort++ % PORTS.count);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
