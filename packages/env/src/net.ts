// The network as the packages above see it: listeners, connections, bytes. TLS belongs to the connection: who reads and
// writes it need not know. Both bindings (`node/net.ts` the operating system's, `memory/net.ts` a simulated one) pass one
// contract suite.

/** What kind of failure it was; `os` stands for every other code of the operating system. */
export type NetErrorCode =
  | 'address-in-use'
  | 'address-not-available'
  | 'permission'
  | 'refused'
  | 'unresolved'
  | 'unreachable'
  | 'timed-out'
  | 'reset'
  | 'tls'
  | 'aborted'
  | 'os';

export interface Network {
  /**
   * Listens on one address; port 0 picks a free one. `onConnection` is called for every connection that is ready for use,
   * after the TLS handshake if there is one, and must `open` the socket before it returns. Rejects with NetError.
   */
  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener>;
  /** Resolves with a connection that is ready for use, which is to be opened at once. Rejects with NetError. */
  connect(options: ConnectOptions): Promise<Socket>;
}

export interface ListenOptions {
  /** An address of this machine, or a name of one. */
  readonly host: string;
  readonly port: number;
  readonly tls?: ServerTls;
  /** Told of every connection that did not come about: a failed or overdue handshake. */
  readonly onRefused?: (remote: string, error: Error) => void;
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: ClientTls;
  /** Gives the attempt up: NetError `aborted`. */
  readonly signal?: AbortSignal;
}

/** A certificate chain and its key, PEM. */
export interface TlsIdentity {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
}

export interface ServerTls {
  readonly identity: TlsIdentity;
  /** Certificates, PEM, that clients' certificates are checked against (default: the host's own). */
  readonly clientCa?: Uint8Array;
  /** Refuse clients without a certificate that holds (default: true if there is a `clientCa`, else none is asked for). */
  readonly requireClientCertificate?: boolean;
  /** Protocols of ALPN, the preferred first. */
  readonly protocols: readonly string[];
}

export interface ClientTls {
  /** Certificates, PEM, that the server's is checked against; without it the host's own. */
  readonly ca?: Uint8Array;
  readonly identity?: TlsIdentity;
  /** The name that the server's certificate must bear, instead of the host's. */
  readonly serverName?: string;
  /** Take any certificate: encrypted, but nobody knows to whom. */
  readonly insecureSkipVerify?: boolean;
  readonly protocols: readonly string[];
}

export interface Listener {
  readonly port: number;
  /** The next handshakes use this; connections that are there go on. Only for a listener that began with TLS. Throws NetError `tls`. */
  setTls(tls: ServerTls): void;
  /** Takes no new connections; those that are there go on. */
  close(): Promise<void>;
}

/** What TLS found out about a connection. */
export interface TlsState {
  /** The protocol that ALPN chose. */
  readonly protocol: string | undefined;
  /** The common name in the other side's certificate, if it showed one that was checked. */
  readonly peerCommonName: string | undefined;
}

export interface SocketEvents {
  /** Bytes came in; they are the receiver's to keep. */
  onData(bytes: Uint8Array): void;
  /** After `write` returned false: there is room again. */
  onDrain(): void;
  /** The other side sends no more. This side may go on; one that has nothing to say calls `end`. */
  onEnd(): void;
  /** The connection is gone; the last event, exactly one. `error` says why, if it was not by agreement. */
  onClose(error: Error | undefined): void;
}

/** A connection. Nothing is delivered before `open`. */
export interface Socket {
  /** As "127.0.0.1:53124", "[::1]:53124". */
  readonly remote: string;
  readonly tls: TlsState | undefined;
  /** Delivers to `events` from now on; called again, to others, who take the connection over where it is. */
  open(events: SocketEvents): void;
  /**
   * Sends `bytes`, which must not change before `waitingBytes` is 0. False when more is waiting than a connection should keep (256 KiB): the
   * caller should write no more until `onDrain`. Dropped when the connection is gone.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes that were written and not handed on yet; while there are some, this end may refer to what it was given. */
  readonly waitingBytes: number;
  /** Stops reading (the other side will have to wait, in the end), and goes on. */
  pause(): void;
  resume(): void;
  /** Sends what is waiting, then says that no more will come. The connection closes when the other side has said so, too. */
  end(): void;
  /** Ends the connection now; what is waiting is dropped. */
  destroy(): void;
}

/** The bound of `Socket.write`. */
export const SOCKET_QUEUE_BYTES: number = 256 << 10;

/** `host:port`, with brackets where IPv6 needs them. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
