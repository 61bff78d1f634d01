// How a member reaches its peers, and is reached by them and by clients. A member is handed its transport, so that a simulated world runs the
// same member without a socket.
import type { ClusterId, MemberId } from '@distrokv/base';
import type { Server } from '@distrokv/grpc';
import type { Message } from '@distrokv/raft';
import type { HttpHandler } from './http/types.ts';
import type { PeerSender } from './replica/replica.ts';

export interface PeerAddress {
  readonly id: MemberId;
  /** "host:port", or "https://host:port" for TLS; at least one. */
  readonly targets: readonly string[];
}

/** What a member tells of itself, and takes from its peers. */
export interface PeerOptions {
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
  readonly others: readonly PeerAddress[];
  readonly onMessages: (messages: readonly Message[]) => void;
}

export interface PeerTransport extends PeerSender {
  /** Lets the others reach this member. */
  listen(): Promise<void>;
  /** Begins to reach the others. */
  connect(): void;
  close(): Promise<void>;
}

export interface ClientTransport extends Pick<Server, 'addService'> {
  /** Serves HTTP/1.1 on the same port. */
  addHttp(handler: HttpHandler): void;
  /** Returns the addresses, "host:port", that clients are served on. */
  listen(): Promise<string[]>;
  /** Takes no new calls, and cuts those that have not ended after `graceMs`. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

export interface Transport {
  peers(options: PeerOptions): PeerTransport;
  clients(): ClientTransport;
}
