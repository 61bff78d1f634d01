// A real etcd, where one is installed: what ours is held against.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { Api } from './api.ts';
import { freePorts, temporaryDirectory } from './cluster.ts';

export class RealEtcd implements AsyncDisposable {
  readonly endpoint: string;
  /** As in "3.4". */
  readonly version: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  /** Undefined where none is installed (Debian's package etcd-server). */
  static async start(): Promise<RealEtcd | undefined> {
    const version = await promisify(execFile)('etcd', ['--version']).then(
      ({ stdout }) => /etcd Version: (\d+\.\d+)/.exec(stdout)?.[1],
      () => undefined,
    );
    if (version === undefined) return undefined;
    const [client, peer] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`) as [string, string];
    const directory = temporaryDirectory();
    const urls = [`--listen-client-urls=http://${client}`, `--advertise-client-urls=http://${client}`];
    const peers = [
      `--listen-peer-urls=http://${peer}`,
      `--initial-advertise-peer-urls=http://${peer}`,
      `--initial-cluster=default=http://${peer}`,
    ];
    const child = spawn('etcd', [`--data-dir=${directory}/data`, ...urls, ...peers], { stdio: 'ignore' });
    const etcd = new RealEtcd(client, version, child, directory);
    await etcd.#ready();
    return etcd;
  }

  private constructor(endpoint: string, version: string, child: ChildProcess, directory: string) {
    this.endpoint = endpoint;
    this.version = version;
    this.#child = child;
    this.#directory = directory;
  }

  async #ready(): Promise<void> {
    using api = new Api(this.endpoint);
    await api.range({ key: Uint8Array.of(0) }, { waitForReady: true, timeoutMs: 60_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}
