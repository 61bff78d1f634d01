// A real etcd, where one is installed: what ours is held against.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { Api } from './api.ts';
import { freePorts, temporaryDirectory } from './cluster.ts';

export class RealEtcd implements AsyncDisposable {
  readonly endpoints: readonly string[];
  /** As in "3.4". */
  readonly version: string;
  readonly #children: readonly ChildProcess[];
  readonly #directory: string;

  /** Starts a cluster of `size` members; undefined where no etcd is installed (Debian's package etcd-server). `flags` go to each. */
  static async start(size = 1, flags: readonly string[] = []): Promise<RealEtcd | undefined> {
    const version = await promisify(execFile)('etcd', ['--version']).then(
      ({ stdout }) => /etcd Version: (\d+\.\d+)/.exec(stdout)?.[1],
      () => undefined,
    );
    if (version === undefined) return undefined;
    const addresses = (await freePorts(2 * size)).map((port) => `127.0.0.1:${port}`);
    const [clients, peers] = [addresses.slice(0, size), addresses.slice(size)];
    const directory = temporaryDirectory();
    const cluster = peers.map((peer, i) => `n${i + 1}=http://${peer}`).join(',');
    const children = clients.map((client, i) =>
      spawn(
        'etcd',
        [
          ...[`--name=n${i + 1}`, `--data-dir=${directory}/n${i + 1}`, `--initial-cluster=${cluster}`],
          ...[`--listen-client-urls=http://${client}`, `--advertise-client-urls=http://${client}`],
          ...[`--listen-peer-urls=http://${peers[i]}`, `--initial-advertise-peer-urls=http://${peers[i]}`],
          ...flags,
        ],
        { stdio: 'ignore' },
      ),
    );
    const etcd = new RealEtcd(clients, version, children, directory);
    for (const client of clients) {
      using api = new Api(client);
      await api.range({ key: Uint8Array.of(0) }, { waitForReady: true, timeoutMs: 60_000 });
    }
    return etcd;
  }

  private constructor(endpoints: readonly string[], version: string, children: readonly ChildProcess[], directory: string) {
    this.endpoints = endpoints;
    this.version = version;
    this.#children = children;
    this.#directory = directory;
  }

  async kill(member: number): Promise<void> {
    const child = this.#children[member];
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((_, member) => this.kill(member)));
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}
