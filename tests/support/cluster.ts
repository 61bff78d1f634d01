// Real members as real processes on this machine: started, killed and started again as an operator would.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository: string = fileURLToPath(new URL('../../../', import.meta.url));
export const distrokv: string = path.join(repository, 'packages/distrokv/bin/distrokv.mjs');

export function temporaryDirectory(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'distrokv-test-'));
}

// Below those that the kernel gives to outgoing connections, of which one could have the port of a member that is down; and other test files begin elsewhere.
const PORTS = { from: 10_000, count: 22_000 };
let nextPort = process.pid * 64;

/** Ports that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = PORTS.from + (nextPort++ % PORTS.count);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One process of `distrokv`, with what it printed. */
export class Distrokv {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  #output = '';
  #errors = '';
  #onOutput: () => void = () => {};

  constructor(args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {}) {
    this.child = spawn(process.execPath, [distrokv, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        if (stream === this.child.stderr) this.#errors += text;
        this.#onOutput();
      });
    }
    this.exited = new Promise((resolve) => this.child.on('close', (code, signal) => resolve({ code, signal })));
  }

  get output(): string {
    return this.#output;
  }

  /** What it printed to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Resolves when the process has printed `text`; rejects when it ends without. */
  printed(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onOutput = () => {
        if (this.#output.includes(text)) resolve();
      };
      this.#onOutput();
      void this.exited.then(() => reject(new Error(`the process ended before it printed ${JSON.stringify(text)}:\n${this.#output}`)));
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.child.kill(signal);
    return this.exited;
  }
}

interface Place {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
}

/** A cluster of members on this machine; `await using` takes it down and removes its data. */
export class TestCluster implements AsyncDisposable {
  readonly directory: string = temporaryDirectory();
  readonly #places: readonly Place[];
  readonly #flags: readonly string[];
  readonly #running = new Map<number, Distrokv>();
  readonly #size: number;

  /**
   * `flags` go to every member; with --cert-file among them clients, and with --peer-cert-file members, speak TLS. With places for `spares`
   * members more, which `launch` starts.
   */
  static async start(size: number, flags: readonly string[] = [], spares = 0): Promise<TestCluster> {
    const ports = await freePorts(2 * (size + spares));
    const places = Array.from({ length: size + spares }, (_, i) => ({
      name: `n${i + 1}`,
      clientPort: ports[2 * i] as number,
      peerPort: ports[2 * i + 1] as number,
    }));
    const cluster = new TestCluster(places, size, flags);
    try {
      await cluster.startAll();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  private constructor(places: readonly Place[], size: number, flags: readonly string[]) {
    this.#places = places;
    this.#size = size;
    this.#flags = flags;
  }

  get endpoints(): string[] {
    return this.#places.slice(0, this.#size).map((place) => `127.0.0.1:${place.clientPort}`);
  }

  get members(): readonly number[] {
    return Array.from({ length: this.#size }, (_, i) => i);
  }

  /** Starts all that do not run, and waits until they serve. */
  async startAll(): Promise<void> {
    const started = this.members.filter((i) => !this.#running.has(i)).map((i) => this.launch(i));
    await Promise.all(started.map((member) => member.printed('ready to serve client requests')));
  }

  /** Of any member, spares too. */
  endpoint(member: number): string {
    return `127.0.0.1:${(this.#places[member] as Place).clientPort}`;
  }

  peerUrl(member: number): string {
    const scheme = this.#flags.includes('--peer-cert-file') ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${(this.#places[member] as Place).peerPort}`;
  }

  /** With flags beside the usual ones; the members that initial-cluster names are those of the start, and itself. */
  launch(member: number, flags: readonly string[] = []): Distrokv {
    const { name, clientPort } = this.#places[member] as Place;
    const scheme = this.#flags.includes('--cert-file') ? 'https' : 'http';
    const [client, peer] = [`${scheme}://127.0.0.1:${clientPort}`, this.peerUrl(member)];
    const named = new Set([...this.members, member]);
    const cluster = [...named].map((i) => `${(this.#places[i] as Place).name}=${this.peerUrl(i)}`).join(',');
    const running = new Distrokv([
      'server',
      '--name',
      name,
      '--data-dir',
      path.join(this.directory, name),
      '--listen-client-urls',
      client,
      '--advertise-client-urls',
      client,
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      cluster,
      ...this.#flags,
      ...flags,
    ]);
    this.#running.set(member, running);
    return running;
  }

  process(member: number): Distrokv {
    const running = this.#running.get(member);
    if (!running) throw new Error(`member ${member} does not run`);
    return running;
  }

  dataDirectory(member: number): string {
    return path.join(this.directory, (this.#places[member] as Place).name);
  }

  async kill(member: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    const running = this.process(member);
    this.#running.delete(member);
    return running.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((member) => this.kill(member)));
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}
