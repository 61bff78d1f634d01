// The composition root: builds a member out of its rooms. It is the only place that knows them all.
import { type MemberId, logIndex, messageOf } from '@distrokv/base';
import type { Env, Logger, Timer } from '@distrokv/env';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { Configuration, RaftStatus } from '@distrokv/raft';
import { type ServerConfig, serverDefaults } from './config.ts';
import type { LoopStalls } from './loop-stalls.ts';
import { targetOf } from './peers/address.ts';
import { Replica } from './replica/replica.ts';
import { Services } from './services/services.ts';
import { type ReceivedSnapshot, SnapshotReceiver } from './snapshot/receiver.ts';
import { SnapshotSender } from './snapshot/sender.ts';
import type { Storage, StorageSizes } from './storage.ts';
import type { ClientTransport, PeerAddress, PeerTransport, Transport } from './transport.ts';

const COMPACT_LOG_PERIOD_MS = 10_000;
const PUBLISH_PAUSE_MS = 500;
/** Most bytes of the log that stay for followers that are behind; and those that stay for the sake of a snapshot under way. */
const KEPT_LOG_BYTES = 256 << 20;
const MAX_LOG_BYTES = 2 ** 30;
/** Between the answer to a leader whose snapshot is here, and the stop to install it. */
const ANSWER_MS = 50;

export interface MemberOptions {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly logger: Logger;
  readonly storage: Storage;
  readonly sizes?: StorageSizes;
  readonly transport: Transport;
  readonly stalls?: LoopStalls;
  readonly onFatal: (error: unknown) => void;
  /** This member was removed from the cluster: it is to stop, gracefully. May be called more than once. */
  readonly onRemoved: () => void;
  /** A snapshot is here: to be installed by stopping this member, `storage.install`, and starting another on what that left. */
  readonly onInstall: (snapshot: ReceivedSnapshot) => void;
}

/** A member whose rooms are connected, not yet started. */
export class Member {
  readonly id: MemberId;
  readonly #options: MemberOptions;
  readonly #peers: PeerTransport;
  readonly #replica: Replica;
  readonly #clients: ClientTransport;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  readonly #services: Services;
  #stopped = false;
  #compacting = false;
  #compaction: Timer | undefined;

  constructor(options: MemberOptions) {
    const { config, env, logger, storage, transport, onFatal, onRemoved } = options;
    const { log, store, engine } = storage;
    const { clusterId, memberId: id } = log.identity;
    this.id = id;
    this.#options = options;
    this.#peers = transport.peers({
      clusterId,
      memberId: id,
      peerUrls: config.initialAdvertisePeerUrls.map(({ text }) => text),
      onMessages: (messages) => this.#replica.receive(messages),
      isRemoved: (member) => store.isRemoved(member),
      onRemoved,
      onSnapshot: (source) => this.#receiver.receive(source),
      onJoin: (peerUrls, replace) => this.#services.cluster.join(peerUrls, replace),
      onPromote: (learner) => this.#services.cluster.promote(learner),
    });
    this.#replica = new Replica({
      env,
      logger,
      log,
      store,
      peers: this.#peers,
      heartbeatMs: config.heartbeatMs,
      electionMs: config.electionMs,
      leaseReads: config.leaseReads,
      maxCommandBytes: config.maxRequestBytes,
      onFatal,
      onConfiguration: (configuration) => this.#peers.update(addressesIn(configuration, id)),
      onRemoved,
      onSnapshotWanted: (to) => this.#sender.send(to),
    });
    this.#sender = new SnapshotSender({
      env,
      logger,
      directory: `${config.dataDirectory}/snapshot.out`,
      engine,
      store,
      firstLogIndex: () => log.firstIndex(),
      send: (to, source) => this.#peers.sendSnapshot(to, source),
      onSent: (to, index) => this.#replica.snapshotSent(to, index),
    });
    this.#receiver = new SnapshotReceiver({
      env,
      logger,
      dataDirectory: config.dataDirectory,
      isNeeded: (index, term) => this.#replica.needsSnapshot(index, term),
      onReceived: (snapshot) => env.timers.after(ANSWER_MS, () => options.onInstall(snapshot)),
    });
    this.#clients = transport.clients();
    const context = { env, logger, config, clusterId, memberId: id, store, stalls: options.stalls, onFatal };
    this.#services = new Services({ ...context, replica: this.#replica, peers: this.#peers });
    this.#services.serve(this.#clients);
    engine.onFlush(() => void this.#compactLog());
  }

  /** Listens, connects and takes part. Returns the addresses that clients are served on. */
  async start(): Promise<string[]> {
    const { env } = this.#options;
    await this.#sender.start();
    await this.#peers.listen();
    const addresses = await this.#clients.listen();
    this.#replica.start(); // It says whom to reach.
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
    await this.#sender.stop();
  }

  /** Tells the cluster this member's name and client URLs, if it does not know them yet. */
  async #publish(): Promise<void> {
    const { config, storage } = this.#options;
    const clientURLs = config.advertiseClientUrls.map((url) => url.text);
    const known = storage.store.members.find((m) => m.id === this.id);
    if (known && known.name === config.name && known.clientURLs.join() === clientURLs.join()) return;
    await this.#replica.propose({ kind: 'member-attributes', request: pb.Member.create({ id: this.id, name: config.name, clientURLs }) });
    // Too early, when it was not a member yet: then it was not heard.
    if (!storage.store.members.some((m) => m.id === this.id && m.name === config.name)) throw new Error('this member is not known yet');
  }

  /**
   * The log is needed until the entries are in synced tables here. What followers that are a little behind need is kept as well, within
   * bounds: they get a snapshot otherwise. So is what a snapshot under way will need behind it, within wider bounds.
   */
  async #compactLog(): Promise<void> {
    const { config, storage, sizes, onFatal } = this.#options;
    if (this.#compacting || this.#stopped) return;
    this.#compacting = true;
    try {
      const durable = await storage.store.durableIndex();
      const kept = sizes?.keptEntries ?? config.snapshotCatchUpEntries ?? serverDefaults.snapshotCatchUpEntries;
      const unneeded = Math.max(durable - kept, storage.log.indexBeforeLast(KEPT_LOG_BYTES));
      const unpinned = Math.max(Math.min(unneeded, this.#sender.neededAfter ?? Infinity), storage.log.indexBeforeLast(MAX_LOG_BYTES));
      await storage.log.compact(logIndex(Math.max(0, Math.min(durable, unpinned))));
    } catch (error) {
      if (!this.#stopped) onFatal(error);
    } finally {
      this.#compacting = false;
    }
  }
}

function addressesIn({ addresses }: Configuration, own: MemberId): PeerAddress[] {
  return [...addresses].filter(([id]) => id !== own).map(([id, urls]) => ({ id, targets: urls.map(targetOf) }));
}
