// How members reach each other: each pair has two streams, one for each direction, which the sender opens. A stream begins with a hello
// from both sides, so that a member never takes in messages of another cluster, or of one that was removed.
//
// A sender that is no member as far as is known here may well be one: its configuration may be newer than what this member has applied.
// It is heard, and answered where it says that it is reached, for as long as its stream lasts.
import { type LogIndex, type MemberId, hexId, logIndex, memberId } from '@distrokv/base';
import type { ClientTls, Env, Logger } from '@distrokv/env';
import { GrpcError, type Server, type ServerStream } from '@distrokv/grpc';
import { ApiError } from '@distrokv/mvcc';
import { peer as pb } from '@distrokv/proto';
import type { Message } from '@distrokv/raft';
import type { PeerSender } from '../replica/replica.ts';
import type { PeerAddress, PeerOptions, SnapshotSource } from '../transport.ts';
import { targetOf } from './address.ts';
import { fromPeerMessage } from './codec.ts';
import { Outbound, REMOVED } from './outbound.ts';
import { offerSnapshot, receiveSnapshot } from './snapshot-stream.ts';

const FORMAT_VERSION = 1;
/** Senders of whom nothing is known here yet that are answered at the same time; more are heard, and not answered. */
const MAX_STRANGERS = 16;
const FORWARD_TIMEOUT_MS = 5000;

export interface PeersOptions extends PeerOptions {
  readonly env: Env;
  readonly logger: Logger;
  /** Largest batch that a peer may send. */
  readonly maxReceiveBytes: number;
  /** What this member shows to the others whose URLs say https. */
  readonly tls: () => Omit<ClientTls, 'protocols'> | undefined;
}

export class Peers implements PeerSender {
  readonly #options: PeersOptions;
  readonly #hello: pb.PeerHello;
  /** To members of the configuration in force. */
  #outbound = new Map<MemberId, Outbound>();
  /** To those who only talk to this member so far. */
  readonly #strangers = new Map<MemberId, Outbound>();
  /** Ends the streams of members that talk to this one. */
  readonly #inbound = new Map<MemberId, () => void>();
  #closed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
    const { clusterId, peerUrls } = options;
    this.#hello = { clusterId, memberId: options.memberId, formatVersion: FORMAT_VERSION, peerUrls };
  }

  /** Serves the other members on the peer port. */
  serve(server: Server): void {
    server.addService(pb.Peer, {
      exchange: (stream) => this.#receive(stream),
      snapshot: (stream) => receiveSnapshot(stream, (hello) => this.#checkHello(hello), this.#options.onSnapshot),
      join: async ({ peerUrls, replace }) => await asStatus(this.#options.onJoin(peerUrls, replace)),
      promote: async (request) => {
        await asStatus(this.#options.onPromote(memberId(request.memberId)));
        return {};
      },
    });
  }

  update(peers: readonly PeerAddress[]): void {
    const before = this.#outbound;
    this.#outbound = new Map();
    for (const { id, targets } of peers) {
      const known = before.get(id) ?? this.#strangers.get(id);
      const kept = known?.targets.join() === targets.join() ? known : this.#open(id, targets);
      this.#outbound.set(id, kept);
    }
    for (const [id, outbound] of [...before, ...this.#strangers]) if (this.#outbound.get(id) !== outbound) void outbound.close();
    this.#strangers.clear();
    for (const [sender, end] of this.#inbound) if (this.#options.isRemoved(sender)) end();
  }

  #open(peerId: MemberId, targets: readonly string[]): Outbound {
    const { env, logger, maxReceiveBytes, onRemoved, tls } = this.#options;
    return new Outbound({ env, logger, hello: this.#hello, peerId, targets, maxReceiveBytes, onRemoved, tls });
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.#to(message.to)?.send(message);
    for (const outbound of this.#outbound.values()) outbound.flush();
    for (const outbound of this.#strangers.values()) outbound.flush();
  }

  #to(member: MemberId): Outbound | undefined {
    return this.#outbound.get(member) ?? this.#strangers.get(member);
  }

  connectedSinceMs(peer: MemberId): number | undefined {
    return this.#outbound.get(peer)?.connectedSinceMs;
  }

  /** Resolves with the entry up to which the peer has everything. Rejects with GrpcError. */
  async sendSnapshot(to: MemberId, source: SnapshotSource): Promise<LogIndex> {
    return logIndex(await offerSnapshot(this.#channelTo(to), this.#hello, source));
  }

  async promote(leader: MemberId, learner: MemberId): Promise<void> {
    await this.#channelTo(leader).unary(pb.Peer.methods.promote, { memberId: learner }, { timeoutMs: FORWARD_TIMEOUT_MS });
  }

  #channelTo(member: MemberId): Outbound['channel'] & {} {
    const channel = this.#to(member)?.channel;
    if (!channel) throw new GrpcError('unavailable', `there is no connection to member ${hexId(member)}`);
    return channel;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#outbound.values(), ...this.#strangers.values()].map((outbound) => outbound.close()));
  }

  async #receive(stream: ServerStream<pb.PeerBatch, pb.PeerBatch>): Promise<void> {
    const batches = stream.requests[Symbol.asyncIterator]();
    let rejectNext: (error: unknown) => void = () => {};
    const end = (): void => rejectNext(new GrpcError('failed-precondition', REMOVED));
    const nextBatch = (): Promise<IteratorResult<pb.PeerBatch>> =>
      new Promise((resolve, reject) => {
        rejectNext = reject;
        batches.next().then(resolve, reject);
      });
    let sender: MemberId | undefined;
    let stranger: Outbound | undefined;
    try {
      for (;;) {
        const next = await nextBatch();
        if (next.done === true) return;
        const batch = next.value;
        if (sender === undefined) {
          sender = this.#checkHello(batch.hello);
          this.#inbound.set(sender, end);
          stranger = this.#answerStranger(sender, batch.hello?.peerUrls ?? []);
          stream.send({ messages: [], hello: this.#hello });
        }
        if (batch.messages.some((m) => m.from !== sender))
          throw new GrpcError('invalid-argument', 'a message says that it is from another member');
        const messages = batch.messages.map(fromPeerMessage).filter((message) => message !== undefined);
        if (messages.length > 0) this.#options.onMessages(messages);
      }
    } finally {
      if (sender !== undefined && this.#inbound.get(sender) === end) this.#inbound.delete(sender);
      if (sender !== undefined && stranger !== undefined && this.#strangers.get(sender) === stranger) {
        this.#strangers.delete(sender);
        void stranger.close();
      }
    }
  }

  #answerStranger(sender: MemberId, peerUrls: readonly string[]): Outbound | undefined {
    if (this.#closed || peerUrls.length === 0 || this.#to(sender) || this.#strangers.size >= MAX_STRANGERS) return undefined;
    const outbound = this.#open(sender, peerUrls.map(targetOf));
    this.#strangers.set(sender, outbound);
    return outbound;
  }

  #checkHello(hello: pb.PeerHello | undefined): MemberId {
    const { clusterId, memberId: own, isRemoved } = this.#options;
    const refuse = (why: string): GrpcError => new GrpcError('failed-precondition', why);
    if (!hello) throw refuse('a peer stream begins with a hello');
    if (hello.formatVersion !== FORMAT_VERSION)
      throw refuse(`unknown format ${hello.formatVersion} of the peer protocol: this member speaks ${FORMAT_VERSION}`);
    if (hello.clusterId !== clusterId)
      throw refuse(`etcdserver: cluster ID mismatch: this member is of ${hexId(clusterId)}, not of ${hexId(hello.clusterId)}`);
    if (hello.memberId === own) throw refuse(`both sides are member ${hexId(own)}: check the peer URLs`);
    if (hello.memberId === 0n) throw refuse('a member has an id');
    const sender = memberId(hello.memberId);
    if (isRemoved(sender)) throw refuse(REMOVED);
    return sender;
  }
}

async function asStatus<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof ApiError ? new GrpcError(error.status, error.message, { cause: error }) : error;
  }
}
