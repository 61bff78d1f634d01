// The life of a member: started as a whole or not at all, stopped gracefully, or stopped by a failure that it must not survive.
import { type ClusterId, type Deferred, type MemberId, deferred, defined, messageOf } from '@distrokv/base';
import type { Logger } from '@distrokv/env';
import { GrpcError, createServer } from '@distrokv/grpc';
import { type EndpointUrl, checkConfig } from './config.ts';
import { ServerError } from './errors.ts';
import { grpcTransport } from './grpc-transport.ts';
import { Member } from './member.ts';
import type { RunningServer, StartOptions } from './running.ts';
import { type Storage, openStorage } from './storage.ts';

const DEFAULT_GRACE_MS = 2000;

/** Starts a member. Resolves when it listens; `ready` says when it serves. Throws ServerError, and then nothing is left running. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  checkConfig(options.config);
  await probe(options.config.listenClientUrls, 'listen-client-urls');
  await probe(options.config.listenPeerUrls, 'listen-peer-urls');
  const life = new Life(options.logger);
  const onFatal = (error: unknown): void => life.fail(error);
  const storage = await openStorage({ ...options, onFatal });
  const member = new Member({ ...options, storage, transport: grpcTransport(options), onFatal });
  try {
    return life.begin(storage, member, await member.start());
  } catch (error) {
    await member.stop(0);
    await storage.close({ flush: false });
    throw listenError(error);
  }
}

/** Takes the ports for a moment, before anything on disk is touched: a busy one is told first. */
async function probe(urls: readonly EndpointUrl[], what: string): Promise<void> {
  for (const { host, port, text } of urls) {
    const server = createServer();
    try {
      await server.listen({ host, port });
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
}

class Life {
  readonly #logger: Logger;
  readonly #stopped: Deferred<Error | undefined> = deferred();
  #parts: Parts | undefined;
  #stopping: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  begin(storage: Storage, member: Member, clientAddresses: readonly string[]): RunningServer {
    this.#parts = { storage, member };
    if (this.#failure) this.#stopping = this.#takeDown(0);
    const identity: { readonly clusterId: ClusterId; readonly memberId: MemberId } = storage.log.identity;
    return {
      ...identity,
      clientAddresses,
      ready: member.join(),
      stopped: this.#stopped.promise,
      stop: ({ graceMs = DEFAULT_GRACE_MS } = {}) => (this.#stopping ??= this.#takeDown(graceMs)),
    };
  }

  /** Fail stop: says why, and takes the member down without another write. */
  fail(cause: unknown): void {
    if (this.#failure) return;
    this.#failure = new ServerError('fail-stop', `this member stops: ${messageOf(cause)}`, { cause });
    this.#logger.fatal(this.#failure.message, { error: cause });
    if (this.#parts) this.#stopping ??= this.#takeDown(0);
  }

  async #takeDown(graceMs: number): Promise<void> {
    const { storage, member } = defined(this.#parts, 'what to take down');
    try {
      await member.stop(graceMs);
      await storage.close({ flush: this.#failure === undefined });
    } catch (error) {
      this.#failure ??= new ServerError('disk', `the shutdown did not end cleanly: ${messageOf(error)}`, { cause: error });
    }
    this.#stopped.resolve(this.#failure);
  }
}
