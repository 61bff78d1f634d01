// The host's network: node:net and node:tls, without their streams' generality. A write that is followed by others in the
// same turn leaves with them, in one system call.
import { type Socket as NodeSocket, type Server as NodeServer, connect as connectTcp, createServer } from 'node:net';
import { type TLSSocket, connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { messageOf } from '@distrokv/base';
import { NetError } from '../net-error.ts';
import {
  type ConnectOptions,
  type ListenOptions,
  type Listener,
  type NetErrorCode,
  type Network,
  type Socket,
  type SocketEvents,
  SOCKET_QUEUE_BYTES,
  type TlsState,
  hostAndPort,
} from '../net.ts';
import { clientTlsOptions, secureServerOptions, tlsStateOf } from './tls.ts';

/** A client has so long for its handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Connections that wait to be accepted, as far as the host allows. */
const BACKLOG = 4096;

export const nodeNetwork: Network = { listen, connect };

async function listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> {
  const { host, port, tls, onRefused } = options;
  const common = { allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_QUEUE_BYTES };
  let server: NodeServer;
  let setSecure: Listener['setTls'] = () => {
    throw new NetError('tls', 'this listener began without TLS');
  };
  if (tls === undefined) server = createServer(common, (socket) => onConnection(new NodeConnection(socket, undefined)));
  else {
    const secure = checked(() =>
      createTlsServer({ ...common, ...secureServerOptions(tls), handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, (socket) =>
        onConnection(new NodeConnection(socket, tlsStateOf(socket))),
      ),
    );
    // Node hangs up before it tells why, and who it was must be noted before that.
    const remotes = new WeakMap<NodeSocket, string>();
    secure.on('connection', (socket: NodeSocket) => remotes.set(socket, remoteOf(socket)));
    secure.on('tlsClientError', (error, socket: TLSSocket & { readonly _parent?: NodeSocket }) => {
      const remote = socket._parent === undefined ? undefined : remotes.get(socket._parent);
      onRefused?.(remote ?? remoteOf(socket), refusalOf(socket) ?? fromNode(error));
      socket.destroy();
    });
    setSecure = (next) => checked(() => secure.setSecureContext(secureServerOptions(next)));
    server = secure;
  }
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(fromNode(error)));
    server.listen({ host, port, backlog: BACKLOG }, () => {
      // A connection that cannot be accepted, for want of a file descriptor perhaps, is not the end of the listener.
      server.removeAllListeners('error').on('error', (error) => onRefused?.('unknown', fromNode(error)));
      const address = server.address();
      resolve({
        port: address !== null && typeof address === 'object' ? address.port : port,
        setTls: setSecure,
        close: () => new Promise((closed) => closeListener(server, closed)),
      });
    });
  });
}

function remoteOf(socket: NodeSocket): string {
  return hostAndPort(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0);
}

/** A certificate that is not taken ends the handshake without an error of its own; the socket knows why, as "CERT_HAS_EXPIRED". */
function refusalOf({ authorizationError }: TLSSocket): NetError | undefined {
  // The types say Error; it is a code.
  const code: unknown = authorizationError;
  if (typeof code !== 'string') return undefined;
  return new NetError('tls', `TLS: the certificate of the other side is not taken: ${code.toLowerCase().replaceAll('_', ' ')}`);
}

/** Certificates and keys are read when they are handed in, and may be none. */
function checked<T>(useCertificates: () => T): T {
  try {
    return useCertificates();
  } catch (cause) {
    throw new NetError('tls', `the certificate, its key or the authorities are no good: ${messageOf(cause)}`, { cause });
  }
}

/** A server's own `close` waits for its connections; this does not. */
function closeListener(server: NodeServer, closed: () => void): void {
  server.close();
  setImmediate(closed);
}

function connect(options: ConnectOptions): Promise<Socket> {
  const { host, port, tls, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new NetError('aborted'));
      return;
    }
    const common = { host, port, allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_QUEUE_BYTES };
    const socket: NodeSocket | TLSSocket =
      tls === undefined ? connectTcp(common) : checked(() => connectTls({ ...common, ...clientTlsOptions(tls, host) }));
    const fail = (error: Error): void => {
      settle();
      socket.on('error', () => undefined).destroy();
      reject(error instanceof NetError ? error : fromNode(error));
    };
    const abort = (): void => fail(new NetError('aborted'));
    const ended = (): void => fail(new NetError('reset'));
    const ready = (): void => {
      settle();
      resolve(new NodeConnection(socket, tls === undefined ? undefined : tlsStateOf(socket as TLSSocket)));
    };
    const settle = (): void => {
      signal?.removeEventListener('abort', abort);
      socket.off('error', fail).off('close', ended).off('connect', ready).off('secureConnect', ready);
    };
    signal?.addEventListener('abort', abort);
    socket
      .on('error', fail)
      .on('close', ended)
      .on(tls === undefined ? 'connect' : 'secureConnect', ready);
  });
}

class NodeConnection implements Socket {
  readonly remote: string;
  readonly tls: TlsState | undefined;
  readonly #socket: NodeSocket;
  #events: SocketEvents | undefined;
  #corked = false;

  constructor(socket: NodeSocket, tls: TlsState | undefined) {
    this.#socket = socket;
    this.tls = tls;
    this.remote = remoteOf(socket);
    // Until it is opened, and after it is gone, nobody else hears of it.
    socket.on('error', () => undefined);
  }

  open(events: SocketEvents): void {
    const isFirst = this.#events === undefined;
    this.#events = events;
    if (!isFirst) return;
    const socket = this.#socket;
    let failure: Error | undefined;
    // Plain bytes, and no Buffer: their views are cheaper, and their slices are copies.
    socket.on('data', ({ buffer, byteOffset, length }: Buffer) => this.#events?.onData(new Uint8Array(buffer, byteOffset, length)));
    socket.on('drain', () => this.#events?.onDrain());
    socket.on('end', () => this.#events?.onEnd());
    socket.on('error', (error) => (failure = fromNode(error)));
    socket.on('close', () => this.#events?.onClose(failure));
    if (socket.closed) setImmediate(() => this.#events?.onClose(failure));
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (!socket.writable) return false;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    return socket.write(bytes);
  }

  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const codes: Readonly<Record<string, NetErrorCode>> = {
  EADDRINUSE: 'address-in-use',
  EADDRNOTAVAIL: 'address-not-available',
  EACCES: 'permission',
  EPERM: 'permission',
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unresolved',
  EAI_AGAIN: 'unresolved',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timed-out',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
};

/** The NetError for what node:net or node:tls reported. */
function fromNode(thrown: Error): NetError {
  // A name with several addresses fails with an error for each: the first tells.
  const error = thrown instanceof AggregateError ? ((thrown.errors as Error[])[0] ?? thrown) : thrown;
  const errno = 'code' in error ? String(error.code) : '';
  const code = codes[errno];
  if (code !== undefined) return new NetError(code, undefined, { cause: thrown });
  const isTls = errno.startsWith('ERR_TLS') || errno.startsWith('ERR_SSL') || errno.includes('CERT') || errno.includes('SIGNATURE');
  if (!isTls) return new NetError('os', messageOf(error), { cause: thrown });
  // OpenSSL's own words, without its numbers.
  const reason = 'reason' in error && typeof error.reason === 'string' && errno.startsWith('ERR_SSL') ? error.reason : messageOf(error);
  return new NetError('tls', `TLS: ${reason}`, { cause: thrown });
}
