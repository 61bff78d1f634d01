// The life of a member: started as a whole or not at all, stopped gracefully, or stopped by a failure that it must not survive.
import { type ClusterId, type Deferred, type MemberId, deferred, defined, messageOf } from '@distrokv/base';
import { GrpcError, createServer } from '@distrokv/grpc';
import { type EndpointUrl, checkConfig } from './config.ts';
import { ServerError } from './errors.ts';
import { grpcTransport } from './grpc-transport.ts';
import { joinCluster } from './join.ts';
import { LoopStalls } from './loop-stalls.ts';
import { Member } from './member.ts';
import type { RunningServer, StartOptions } from './running.ts';
import type { ReceivedSnapshot } from './snapshot/receiver.ts';
import { type Storage, openStorage } from './storage.ts';
import { TlsFiles } from './tls-files.ts';

const DEFAULT_GRACE_MS = 2000;

/** Starts a member. Resolves when it listens; `ready` says when it serves. Throws ServerError, and then nothing is left running. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  checkConfig(options.config);
  const { config, env } = options;
  await probe(config.listenClientUrls, 'listen-client-urls', config.clientTls && (await TlsFiles.open(env, config.clientTls)));
  await probe(config.listenPeerUrls, 'listen-peer-urls', config.peerTls && (await TlsFiles.open(env, config.peerTls)));
  return await new Life(options).begin();
}

/** Takes the ports for a moment, before anything on disk is touched: a busy one is told first, and so is a certificate that is none. */
async function probe(urls: readonly EndpointUrl[], what: string, tls: TlsFiles | undefined): Promise<void> {
  for (const { host, port, text, isSecure } of urls) {
    const server = createServer();
    try {
      await server.listen({ host, port, ...(isSecure && tls !== undefined && { tls: tls.server }) });
    } catch (error) {
      throw listenError(error, `${what}: ${text}`);
    } finally {
      await server.close({ graceMs: 0 });
    }
  }
}

function listenError(error: unknown, what = 'listen'): unknown {
  if (!(error instanceof GrpcError)) return error;
  const busy = error.message.includes('in use');
  return new ServerError(busy ? 'address-in-use' : 'cannot-listen', `${what}: ${error.message}`, { cause: error });
}

interface Parts {
  readonly storage: Storage;
  readonly member: Member;
  readonly clientAddresses: readonly string[];
}

class Life {
  readonly #options: StartOptions;
  readonly #stopped: Deferred<Error | undefined> = deferred();
  readonly #stalls: LoopStalls;
  #parts: Parts | undefined;
  #begun = false;
  /** A snapshot takes the place of what this member has. */
  #installing: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(options: StartOptions) {
    this.#options = options;
    const { env, logger, config } = options;
    this.#stalls = new LoopStalls({ env, logger, heartbeatMs: config.heartbeatMs });
  }

  async begin(): Promise<RunningServer> {
    const { storage, clientAddresses } = await this.#open();
    this.#begun = true;
    this.#stalls.start();
    if (this.#failure) this.#stopping = this.#takeDown(0);
    const identity: { readonly clusterId: ClusterId; readonly memberId: MemberId } = storage.log.identity;
    return {
      ...identity,
      clientAddresses,
      ready: this.#ready(),
      stopped: this.#stopped.promise,
      stop: ({ graceMs = DEFAULT_GRACE_MS } = {}) => (this.#stopping ??= this.#takeDown(graceMs)),
    };
  }

  async #open(): Promise<Parts> {
    const options = this.#options;
    const onFatal = (error: unknown): void => this.#fail(error);
    const storage = await openStorage({ ...options, join: () => joinCluster(options), onFatal });
    const member = new Member({
      ...options,
      storage,
      transport: grpcTransport(options),
      stalls: this.#stalls,
      onFatal,
      onRemoved: () => this.#retire(),
      onInstall: (snapshot) => this.#install(snapshot),
    });
    try {
      return (this.#parts = { storage, member, clientAddresses: await member.start() });
    } catch (error) {
      await member.stop(0);
      await storage.close({ flush: false });
      throw listenError(error);
    }
  }

  /** When a member has joined that was not stopped for a snapshot meanwhile. */
  async #ready(): Promise<void> {
    for (let member: Member | undefined; member !== this.#parts?.member;) {
      member = this.#parts?.member;
      await member?.join();
      await this.#installing;
    }
  }

  /** Fail stop: says why, and takes the member down without another write. */
  #fail(cause: unknown): void {
    if (this.#failure) return;
    this.#failure = new ServerError('fail-stop', `this member stops: ${messageOf(cause)}`, { cause });
    this.#options.logger.fatal(this.#failure.message, { error: cause });
    if (this.#begun) this.#stopping ??= this.#takeDown(0);
  }

  /** The cluster goes on without this member. */
  #retire(): void {
    if (this.#failure || this.#stopping) return;
    this.#failure = new ServerError('removed', 'this member was removed from the cluster: its data directory is of no use any more');
    this.#options.logger.warn(this.#failure.message);
    if (this.#begun) this.#stopping = this.#takeDown(DEFAULT_GRACE_MS);
  }

  #install(snapshot: ReceivedSnapshot): void {
    if (this.#stopping || this.#installing) return;
    this.#installing = this.#restartOn(snapshot)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => (this.#installing = undefined));
  }

  async #restartOn(snapshot: ReceivedSnapshot): Promise<void> {
    const { storage, member } = defined(this.#parts, 'a running member');
    this.#options.logger.info('installing a snapshot: this member starts anew on it', { index: snapshot.index });
    await member.stop(0);
    this.#parts = undefined;
    await storage.install(snapshot);
    await this.#open();
  }

  async #takeDown(graceMs: number): Promise<void> {
    await this.#installing;
    try {
      try {
        await this.#parts?.member.stop(graceMs);
      } finally {
        await this.#parts?.storage.close({ flush: this.#failure === undefined });
      }
    } catch (error) {
      this.#failure ??= new ServerError('disk', `the shutdown did not end cleanly: ${messageOf(error)}`, { cause: error });
    }
    this.#stalls.stop();
    this.#stopped.resolve(this.#failure);
  }
}
