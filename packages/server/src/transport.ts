// How a member reaches its peers, and is reached by them and by clients. A member is handed its transport, so that a simulated world runs the
// same member without a socket.
import type { ClusterId, LogIndex, MemberId } from '@distrokv/base';
import type { Server } from '@distrokv/grpc';
import type { Message } from '@distrokv/raft';
import type { HttpHandler } from './http/types.ts';
import type { PeerSender } from './replica/replica.ts';

export interface PeerAddress {
  readonly id: MemberId;
  /** "host:port", or "https://host:port" for TLS; at least one. */
  readonly targets: readonly string[];
}

/** Who a member that joins is. */
export interface JoinedAs {
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
}

export interface SnapshotFile {
  readonly name: string;
  readonly bytes: number;
}

/** A checkpoint at another member, whose files are read piece by piece; the reader sets the pace. */
export interface SnapshotSource {
  /** The same for the same checkpoint: what was read of it earlier need not be read again. */
  readonly id: bigint;
  readonly files: readonly SnapshotFile[];
  /** At most `length` bytes of a file, by its place in the list; fewer only at its end. */
  read(file: number, offset: number, length: number): Promise<Uint8Array>;
}

/** What a member tells of itself, and takes from its peers. */
export interface PeerOptions {
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
  /** Where the others reach this member, "http://host:port". */
  readonly peerUrls: readonly string[];
  readonly onMessages: (messages: readonly Message[]) => void;
  /** Whether this one was a member, and was removed: nothing is taken from it, and it is told why. */
  readonly isRemoved: (member: MemberId) => boolean;
  /** A peer says that this member was removed. */
  readonly onRemoved: () => void;
  /** A leader offers a snapshot. Resolves with the entry up to which this member has everything, when the snapshot is installed or not needed. */
  readonly onSnapshot: (source: SnapshotSource) => Promise<LogIndex>;
  /** A new member asks who it is: `replace` if it takes the place of the one that has these URLs. Rejects with ApiError or GrpcError. */
  readonly onJoin: (peerUrls: readonly string[], replace: boolean) => Promise<JoinedAs>;
  /** A member hands on the request to promote a learner, since this one leads. */
  readonly onPromote: (learner: MemberId) => Promise<void>;
}

export interface PeerTransport extends PeerSender {
  /** Lets the others reach this member. */
  listen(): Promise<void>;
  /** Reaches these from now on, and nobody else but to answer. */
  update(peers: readonly PeerAddress[]): void;
  /** Since when the connection to this member has stood, by the monotonic clock; undefined if there is none. */
  connectedSinceMs(peer: MemberId): number | undefined;
  /** Resolves with the entry up to which the peer has everything once it has installed the snapshot. */
  sendSnapshot(to: MemberId, source: SnapshotSource): Promise<LogIndex>;
  /** Hands the request to promote a learner on to the leader. */
  promote(leader: MemberId, learner: MemberId): Promise<void>;
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
