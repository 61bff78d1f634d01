// How members reach each other: each pair has two streams, one for each direction, which the sender opens. A stream begins with a hello
// from both sides, so that a member never takes in messages of another cluster, or of a stranger.
import { type MemberId, hexId } from '@distrokv/base';
import type { ClientTls, Env, Logger } from '@distrokv/env';
import { GrpcError, type Server, type ServerStream } from '@distrokv/grpc';
import { peer as pb } from '@distrokv/proto';
import type { Message } from '@distrokv/raft';
import type { PeerSender } from '../replica/replica.ts';
import type { PeerOptions } from '../transport.ts';
import { fromPeerMessage } from './codec.ts';
import { Outbound } from './outbound.ts';

const FORMAT_VERSION = 1;

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
  readonly #outbound = new Map<MemberId, Outbound>();

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#hello = { clusterId: options.clusterId, memberId: options.memberId, formatVersion: FORMAT_VERSION };
  }

  /** Serves the other members on the peer port. */
  serve(server: Server): void {
    server.addService(pb.Peer, { exchange: (stream) => this.#receive(stream) });
  }

  /** Begins to connect to the others. */
  connect(): void {
    const { env, logger, others, maxReceiveBytes, tls } = this.#options;
    for (const { id, targets } of others) {
      this.#outbound.set(id, new Outbound({ env, logger, hello: this.#hello, peerId: id, targets, maxReceiveBytes, tls }));
    }
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.#outbound.get(message.to)?.send(message);
    for (const outbound of this.#outbound.values()) outbound.flush();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#outbound.values()].map((outbound) => outbound.close()));
  }

  async #receive(stream: ServerStream<pb.PeerBatch, pb.PeerBatch>): Promise<void> {
    let sender: bigint | undefined;
    for await (const batch of stream.requests) {
      if (sender === undefined) {
        sender = this.#checkHello(batch.hello);
        stream.send({ messages: [], hello: this.#hello });
      }
      if (batch.messages.some((m) => m.from !== sender))
        throw new GrpcError('invalid-argument', 'a message says that it is from another member');
      const messages = batch.messages.map(fromPeerMessage).filter((message) => message !== undefined);
      if (messages.length > 0) this.#options.onMessages(messages);
    }
  }

  #checkHello(hello: pb.PeerHello | undefined): bigint {
    const { clusterId, memberId, others } = this.#options;
    const refuse = (why: string): GrpcError => new GrpcError('failed-precondition', why);
    if (!hello) throw refuse('a peer stream begins with a hello');
    if (hello.formatVersion !== FORMAT_VERSION)
      throw refuse(`unknown format ${hello.formatVersion} of the peer protocol: this member speaks ${FORMAT_VERSION}`);
    if (hello.clusterId !== clusterId)
      throw refuse(`etcdserver: cluster ID mismatch: this member is of ${hexId(clusterId)}, not of ${hexId(hello.clusterId)}`);
    if (hello.memberId === memberId) throw refuse(`both sides are member ${hexId(memberId)}: check the peer URLs`);
    if (!others.some((other) => other.id === hello.memberId)) throw refuse(`${hexId(hello.memberId)} is no member of this cluster`);
    return hello.memberId;
  }
}
