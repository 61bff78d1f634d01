// A process of the simulated world: the real member, from its storage to its services, on a simulated machine.
import { type LogIndex, type MemberId, messageOf } from '@distrokv/base';
import { type Env, type Logger, type MemoryFileSystem, silentLogger } from '@distrokv/env';
import { GrpcError, type Handlers } from '@distrokv/grpc';
import type { etcdserverpb as pb } from '@distrokv/proto';
import type { Message } from '@distrokv/raft';
import {
  type ClientTransport,
  Member,
  type PeerOptions,
  type PeerTransport,
  type ReceivedSnapshot,
  type ServerConfig,
  type SnapshotSource,
  type Storage,
  type StorageSizes,
  openStorage,
} from '@distrokv/server';
import type { Gate } from './gate.ts';

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

  get maintenance(): Handlers<typeof pb.Maintenance> | undefined {
    return this.running && (this.#services.get('etcdserverpb.Maintenance') as Handlers<typeof pb.Maintenance>);
  }

  async start(): Promise<void> {
    const { config, env, logger = silentLogger, sizes, onStarted } = this.#options;
    const onFatal = (error: unknown): void => this.#end(error);
    try {
      const storage = await openStorage({ config, env, logger, sizes, onFatal });
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
        transport,
        onFatal,
        onRemoved: () => onFatal(new Error('this member was removed')),
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
      connectedSinceMs: () => 0,
      sendSnapshot: (to, source) => this.#options.onSnapshot(this, to, source),
      promote: () => Promise.reject(new GrpcError('unimplemented', 'members of this world do not promote')),
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
