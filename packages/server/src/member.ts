// The composition root: builds a member out of its rooms. It is the only place that knows them all.
import { type MemberId, logIndex, memberId, messageOf } from '@distrokv/base';
import { type Env, type Logger, type Timer, hostAndPort } from '@distrokv/env';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { RaftStatus } from '@distrokv/raft';
import { type ServerConfig, parseEndpointUrl } from './config.ts';
import { Replica } from './replica/replica.ts';
import { Services } from './services/services.ts';
import type { Storage } from './storage.ts';
import type { ClientTransport, PeerTransport, Transport } from './transport.ts';

const COMPACT_LOG_PERIOD_MS = 10_000;
const PUBLISH_PAUSE_MS = 500;

export interface MemberOptions {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly logger: Logger;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly onFatal: (error: unknown) => void;
}

/** A member whose rooms are connected, not yet started. */
export class Member {
  readonly id: MemberId;
  readonly #options: MemberOptions;
  readonly #peers: PeerTransport;
  readonly #replica: Replica;
  readonly #clients: ClientTransport;
  readonly #services: Services;
  #stopped = false;
  #compacting = false;
  #compaction: Timer | undefined;

  constructor(options: MemberOptions) {
    const { config, env, logger, storage, transport, onFatal } = options;
    const { clusterId, memberId: id } = storage.log.identity;
    this.id = id;
    this.#options = options;
    this.#peers = transport.peers({
      clusterId,
      memberId: id,
      others: storage.store.members.filter((m) => m.id !== id).map((m) => ({ id: memberId(m.id), targets: m.peerURLs.map(targetOf) })),
      onMessages: (messages) => this.#replica.receive(messages),
    });
    this.#replica = new Replica({
      env,
      logger,
      log: storage.log,
      store: storage.store,
      peers: this.#peers,
      heartbeatMs: config.heartbeatMs,
      electionMs: config.electionMs,
      maxCommandBytes: config.maxRequestBytes,
      onFatal,
    });
    this.#clients = transport.clients();
    this.#services = new Services({ env, logger, config, clusterId, memberId: id, replica: this.#replica, store: storage.store, onFatal });
    this.#services.serve(this.#clients);
    storage.engine.onFlush(() => void this.#compactLog());
  }

  /** Listens, connects and takes part. Returns the addresses that clients are served on. */
  async start(): Promise<string[]> {
    const { env } = this.#options;
    await this.#peers.listen();
    const addresses = await this.#clients.listen();
    this.#peers.connect();
    this.#replica.start();
    this.#services.start();
    this.#compaction = env.timers.every(COMPACT_LOG_PERIOD_MS, () => void this.#compactLog());
    return addresses;
  }

  /** How consensus stands here. */
  get raft(): RaftStatus {
    return this.#replica.status;
  }

  /** Resolves when the cluster has a leader that this member can follow up to now, and knows where this member serves clients. */
  async join(): Promise<void> {
    const { env } = this.#options;
    while (!this.#stopped) {
      try {
        await this.#publish();
        await this.#replica.linearize();
        return;
      } catch (error) {
        this.#options.logger.debug('not ready yet', { reason: messageOf(error) });
        await env.timers.sleep(PUBLISH_PAUSE_MS);
      }
    }
  }

  /** Hands leadership over, takes no new calls, lets open ones finish within `graceMs`, and takes part no more. With 0 it just stops. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.#compaction?.cancel();
    this.#services.stop();
    if (graceMs > 0) await this.#replica.handOver();
    await this.#clients.close({ graceMs });
    await this.#replica.stop();
    await this.#peers.close();
  }

  /** Tells the cluster this member's name and client URLs, if it does not know them yet. */
  async #publish(): Promise<void> {
    const { config, storage } = this.#options;
    const clientURLs = config.advertiseClientUrls.map((url) => url.text);
    const known = storage.store.members.find((m) => m.id === this.id);
    if (known && known.name === config.name && known.clientURLs.join() === clientURLs.join()) return;
    await this.#replica.propose({ kind: 'member-attributes', request: pb.Member.create({ id: this.id, name: config.name, clientURLs }) });
  }

  /** The log is needed until the entries are in synced tables here, and on the disks of all other members. */
  async #compactLog(): Promise<void> {
    const { storage, onFatal } = this.#options;
    if (this.#compacting || this.#stopped) return;
    this.#compacting = true;
    try {
      const durable = await storage.store.durableIndex();
      await storage.log.compact(logIndex(Math.min(durable, this.#replica.status.matchedByAll)));
    } catch (error) {
      if (!this.#stopped) onFatal(error);
    } finally {
      this.#compacting = false;
    }
  }
}

function targetOf(url: string): string {
  const { host, port, isSecure } = parseEndpointUrl(url, 'a peer URL');
  return `${isSecure ? 'https://' : ''}${hostAndPort(host, port)}`;
}
