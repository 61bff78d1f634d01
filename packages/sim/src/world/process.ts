// A process of the simulated world: the real member, from its storage to its services, on a simulated machine.
import { messageOf } from '@distrokv/base';
import { type Env, type Logger, type MemoryFileSystem, silentLogger } from '@distrokv/env';
import type { Handlers } from '@distrokv/grpc';
import type { etcdserverpb as pb } from '@distrokv/proto';
import type { Message } from '@distrokv/raft';
import {
  type ClientTransport,
  Member,
  type PeerTransport,
  type ServerConfig,
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
  #receive: ((messages: readonly Message[]) => void) | undefined;
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
        peers: ({ onMessages }: { onMessages: (m: readonly Message[]) => void }) => this.#peers(onMessages),
        clients: () => this.#clients(),
      };
      const member = new Member({ config, env, logger, storage, transport, onFatal });
      await member.start();
      if (this.gate.isDead) return;
      this.#running = { member, storage };
      onStarted(this);
      member.join().catch((error: unknown) => this.#end(error));
    } catch (error) {
      this.#end(error);
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
    this.gate.enter(() => this.#receive?.(messages));
  }

  #end(error: unknown): void {
    if (!this.gate.isDead) this.#options.onEnd(this, error);
  }

  #peers(onMessages: (messages: readonly Message[]) => void): PeerTransport {
    return {
      send: (messages) => {
        if (!this.gate.isDead) this.#options.onSend(this, messages);
      },
      listen: () => Promise.resolve(),
      connect: () => {
        this.#receive = onMessages;
      },
      close: () => {
        this.#receive = undefined;
        return Promise.resolve();
      },
    };
  }

  #clients(): ClientTransport {
    return {
      addService: (service, handlers) => void this.#services.set(service.typeName, handlers),
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
