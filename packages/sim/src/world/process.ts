// A process of the simulated world: the real member, from its storage to its services, on a simulated machine.
import { type LogIndex, type MemberId, messageOf } from '@distrokv/base';
import { type Env, type Logger, type MemoryFileSystem, silentLogger } from '@distrokv/env';
import { GrpcError, type Handlers } from '@distrokv/grpc';
import type { etcdserverpb as pb, v3electionpb, v3lockpb } from '@distrokv/proto';
import type { Message } from '@distrokv/raft';
import {
  type ClientTransport,
  Member,
  type PeerOptions,
  type PeerTransport,
  type ReceivedSnapshot,
  type ServerConfig,
  ServerError,
  type SnapshotSource,
  type JoinedAs,
  type Storage,
  type StorageSizes,
  openStorage,
} from '@distrokv/server';
import type { Gate } from './gate.ts';

const JOIN_PAUSE_MS = 1000;

export interface ProcessOptions {
  readonly config: ServerConfig;
  readonly env: Env & { readonly fs: MemoryFileSystem };
  readonly gate: Gate;
  readonly logger?: Logger;
  readonly sizes: StorageSizes;
  /** The member gives messages to the network. */
  readonly onSend: (process: MemberProcess, messages: readonly Message[]) => void;
  /** The member sends a snapshot; resolves as `PeerTransport.sendSnapshot` does. */
  readonly onSnapshot: (process: MemberProcess, to: MemberId, source: SnapshotSource) => Promise<LogIndex>;
  /** It asks the cluster who it is. */
  readonly onJoin: (process: MemberProcess, peerUrls: readonly string[], replace: boolean) => Promise<JoinedAs>;
  /** It hands the request to promote a learner on. */
  readonly onPromote: (process: MemberProcess, leader: MemberId, learner: MemberId) => Promise<void>;
  /** Since when `peer` can be reached, by this process's clock. */
  readonly connectedSinceMs: (process: MemberProcess, peer: MemberId) => number | undefined;
  readonly onStarted: (process: MemberProcess) => void;
  /** It stopped itself, or could not start. */
  readonly onEnd: (process: MemberProcess, error: unknown) => void;
}

export interface Running {
  readonly member: Member;
  readonly storage: Storage;
}

export class MemberProcess {
  readonly gate: Gate;
  /** By the world's time: when it was up. */
  startedMs = 0;
  readonly #options: ProcessOptions;
  #running: Running | undefined;
  #peer: PeerOptions | undefined;
  /** It is about to start anew on a snapshot. */
  #installing = false;
  readonly #services = new Map<string, unknown>();

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.gate = options.gate;
  }

  /** Undefined until it has read its disk, and once it is dead. */
  get running(): Running | undefined {
    return this.gate.isDead ? undefined : this.#running;
  }

  get kv(): Handlers<typeof pb.KV> | undefined {
    return this.running && (this.#services.get('etcdserverpb.KV') as Handlers<typeof pb.KV>);
  }

  get lease(): Handlers<typeof pb.Lease> | undefined {
    return this.running && (this.#services.get('etcdserverpb.Lease') as Handlers<typeof pb.Lease>);
  }

  get lock(): Handlers<typeof v3lockpb.Lock> | undefined {
    return this.running && (this.#services.get('v3lockpb.Lock') as Handlers<typeof v3lockpb.Lock>);
  }

  get election(): Handlers<typeof v3electionpb.Election> | undefined {
    return this.running && (this.#services.get('v3electionpb.Election') as Handlers<typeof v3electionpb.Election>);
  }

  get watch(): Handlers<typeof pb.Watch> | undefined {
    return this.running && (this.#services.get('etcdserverpb.Watch') as Handlers<typeof pb.Watch>);
  }

  get cluster(): Handlers<typeof pb.Cluster> | undefined {
    return this.running && (this.#services.get('etcdserverpb.Cluster') as Handlers<typeof pb.Cluster>);
  }

  get maintenance(): Handlers<typeof pb.Maintenance> | undefined {
    return this.running && (this.#services.get('etcdserverpb.Maintenance') as Handlers<typeof pb.Maintenance>);
  }

  async start(): Promise<void> {
    const { config, env, logger = silentLogger, sizes, onStarted } = this.#options;
    const onFatal = (error: unknown): void => this.#end(error);
    try {
      const storage = await openStorage({ config, env, logger, sizes, join: () => this.#join(), onFatal });
      if (this.gate.isDead) return;
      const transport = {
        peers: (options: PeerOptions) => this.#peers(options),
        clients: () => this.#clients(),
      };
      const member = new Member({
        config,
        env,
        logger,
        storage,
        sizes,
        transport,
        onFatal,
        onRemoved: () => this.#end(new ServerError('removed', 'this member was removed')),
        onInstall: (snapshot) => void this.#install(snapshot),
      });
      await member.start();
      if (this.gate.isDead) return;
      this.#running = { member, storage };
      onStarted(this);
      member.join().catch((error: unknown) => this.#end(error));
    } catch (error) {
      this.#end(error);
    }
  }

  /** As `startServer` does it: asks until somebody answers. */
  async #join(): Promise<JoinedAs> {
    const { config, env, logger = silentLogger, onJoin } = this.#options;
    const urls = config.initialAdvertisePeerUrls.map(({ text }) => text);
    for (;;) {
      try {
        return await onJoin(this, urls, config.rejoin === true);
      } catch (error) {
        logger.warn(`this member was not taken in: ${messageOf(error)}`);
        await env.timers.sleep(JOIN_PAUSE_MS);
      }
    }
  }

  /** A process that joins asks this one who it is. */
  answerJoin(peerUrls: readonly string[], replace: boolean): Promise<JoinedAs> {
    let answer: Promise<JoinedAs> | undefined;
    this.gate.enter(() => {
      answer = this.#peer?.onJoin(peerUrls, replace);
      answer?.catch(() => {}); // A paused process comes to it when who asked has gone.
    });
    return answer ?? Promise.reject(new GrpcError('unavailable', 'nobody is there'));
  }

  /** Whether it knows that this member was removed; then its messages count for nothing. */
  knowsRemoved(member: MemberId): boolean {
    try {
      return this.#peer?.isRemoved(member) === true;
    } catch {
      return false; // Its disk does not say.
    }
  }

  /** A peer says that this member was removed. */
  toldRemoved(): void {
    this.gate.enter(() => this.#peer?.onRemoved());
  }

  promote(learner: MemberId): Promise<void> {
    return this.#peer?.onPromote(learner) ?? Promise.reject(new GrpcError('unavailable', 'nobody is there'));
  }

  /** As `startServer` does it: stops, and starts on the snapshot. */
  async #install(snapshot: ReceivedSnapshot): Promise<void> {
    const running = this.running;
    if (!running || this.#installing) return;
    this.#installing = true;
    try {
      await running.member.stop(0);
      this.#running = undefined;
      await running.storage.install(snapshot);
      if (!this.gate.isDead) await this.start();
    } catch (error) {
      this.#end(error);
    } finally {
      this.#installing = false;
    }
  }

  /** As on SIGTERM. */
  async stop(graceMs: number): Promise<void> {
    const running = this.running;
    if (!running) return;
    try {
      await running.member.stop(graceMs);
      await running.storage.close({ flush: true });
    } catch (error) {
      logFailure(this.#options.logger, error);
    }
  }

  deliver(messages: readonly Message[]): void {
    this.gate.enter(() => this.#peer?.onMessages(messages));
  }

  /** A snapshot is offered by another process. */
  takeSnapshot(source: SnapshotSource): Promise<LogIndex> {
    let taken: Promise<LogIndex> | undefined;
    this.gate.enter(() => {
      taken = this.#peer?.onSnapshot(source);
      taken?.catch(() => {}); // As in `answerJoin`.
    });
    return taken ?? Promise.reject(new GrpcError('unavailable', 'nobody is there'));
  }

  #end(error: unknown): void {
    if (!this.gate.isDead) this.#options.onEnd(this, error);
  }

  #peers(options: PeerOptions): PeerTransport {
    return {
      send: (messages) => {
        if (!this.gate.isDead) this.#options.onSend(this, messages);
      },
      listen: () => {
        this.#peer = options;
        return Promise.resolve();
      },
      // Messages find their way by the ids of members.
      update: () => {},
      connectedSinceMs: (peer) => this.#options.connectedSinceMs(this, peer),
      sendSnapshot: (to, source) => this.#options.onSnapshot(this, to, source),
      promote: (leader, learner) => this.#options.onPromote(this, leader, learner),
      close: () => {
        this.#peer = undefined;
        return Promise.resolve();
      },
    };
  }

  #clients(): ClientTransport {
    return {
      addService: (service, handlers) => void this.#services.set(service.typeName, handlers),
      addHttp: () => undefined,
      listen: () => Promise.resolve([]),
      close: () => {
        this.#services.clear();
        return Promise.resolve();
      },
    };
  }
}

function logFailure(logger: Logger | undefined, error: unknown): void {
  logger?.warn('the stop did not end cleanly', { reason: messageOf(error) });
}
