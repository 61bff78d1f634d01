// A cluster of replicas in one process, on simulated time, disks and wires: what a member is without its sockets.
import { type Random, clusterId, memberId, seededRandom } from '@distrokv/base';
import { type MemoryEnv, SimulatedTime, createMemoryEnv, silentLogger } from '@distrokv/env';
import { openEngine } from '@distrokv/lsm';
import { Store, storeKeyspaces } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { Message } from '@distrokv/raft';
import { RaftLog } from '../raft-log/raft-log.ts';
import { Replica } from '../replica/replica.ts';

const CLUSTER = clusterId(77n);
const HEARTBEAT_MS = 100;
const ELECTION_MS = 1000;

interface Running {
  readonly env: MemoryEnv;
  readonly replica: Replica;
  readonly store: Store;
}

export class Replicas {
  readonly time: SimulatedTime = new SimulatedTime();
  readonly random: Random;
  /** The chance that a message is lost. */
  loss = 0;
  /** Members that no message reaches or leaves. */
  readonly cutOff: Set<number> = new Set();
  readonly failures: unknown[] = [];
  readonly #running = new Map<number, Running>();
  readonly #disks = new Map<number, MemoryEnv['fs']>();
  readonly #size: number;

  constructor(size: number, seed: number) {
    this.#size = size;
    this.random = seededRandom(seed);
  }

  get ids(): number[] {
    return Array.from({ length: this.#size }, (_, i) => i + 1);
  }

  member(id: number): Running {
    const running = this.#running.get(id);
    if (!running) throw new Error(`member ${id} does not run`);
    return running;
  }

  isRunning(id: number): boolean {
    return this.#running.has(id);
  }

  /** Starts a member on its disk, or on a new one. */
  async start(id: number): Promise<void> {
    const disk = this.#disks.get(id);
    const env = createMemoryEnv({ seed: this.random.uint32(), time: this.time, ...(disk && { fs: disk }) });
    this.#disks.set(id, env.fs);
    const onFatal = (error: unknown): void => {
      if (this.#running.get(id)?.env === env) this.failures.push(error);
    };
    const engine = await openEngine({ env, directory: '/db', keyspaces: storeKeyspaces, wal: 'none', memtableBytes: 32 * 1024, onFatal });
    const store = new Store(engine);
    if (!store.isBootstrapped)
      await store.bootstrap(this.ids.map((each) => pb.Member.create({ id: BigInt(each), peerURLs: [`http://m${each}:1`] })));
    const identity = { clusterId: CLUSTER, memberId: memberId(BigInt(id)) };
    const log = await RaftLog.open({ env, logger: silentLogger, directory: '/raft', identity, segmentBytes: 16 * 1024, onFatal });
    const peers = { send: (messages: readonly Message[]): void => this.#carry(id, messages) };
    const replica = new Replica({
      env,
      logger: silentLogger,
      log,
      store,
      peers,
      heartbeatMs: HEARTBEAT_MS,
      electionMs: ELECTION_MS,
      maxCommandBytes: 1 << 20,
      onFatal,
      onConfiguration: () => {},
      onRemoved: () => {},
      onSnapshotWanted: () => {},
    });
    this.#running.set(id, { env, replica, store });
    replica.start();
  }

  /** Kills a member and its power: what was not synced may be lost. */
  async crash(id: number): Promise<void> {
    const { env, replica } = this.member(id);
    this.#running.delete(id);
    const modes = ['lost', 'kept', 'torn', 'reordered'] as const;
    this.#disks.set(id, env.fs.crash(modes[this.random.below(modes.length)] ?? 'lost', this.random));
    await replica.stop();
  }

  leader(): number | undefined {
    return this.ids.find((id) => !this.cutOff.has(id) && this.#running.get(id)?.replica.status.role === 'leader');
  }

  #carry(from: number, messages: readonly Message[]): void {
    for (const message of messages) {
      const to = Number(message.to);
      if (this.random.chance(this.loss)) continue;
      this.time.timers.after(this.random.between(1, 5), () => {
        if (!this.cutOff.has(from) && !this.cutOff.has(to)) this.#running.get(to)?.replica.receive([message]);
      });
    }
  }
}
