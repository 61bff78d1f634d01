// The transport of a real member: gRPC on the ports that its configuration names, HTTP/1.1 beside it for clients, and TLS where
// the URLs say https.
import { type Env, type Logger, NetError, hostAndPort } from '@distrokv/env';
import { type Server, type ServerOptions, addReflection, createServer } from '@distrokv/grpc';
import { type EndpointUrl, type ServerConfig, serverDefaults } from './config.ts';
import { HttpSide } from './http/http-side.ts';
import { Peers } from './peers/peers.ts';
import { Refusals } from './refusals.ts';
import { TlsFiles } from './tls-files.ts';
import type { ClientTransport, PeerOptions, PeerTransport, Transport } from './transport.ts';

/** What gRPC and a batch's mark take beside the request that they carry; etcd allows as much. */
const OVERHEAD_BYTES = 512 << 10;
/** Batches of peers: appends of up to 1 MiB and what shares their batch. */
const PEER_BATCH_BYTES = 16 << 20;

export interface GrpcTransportOptions {
  readonly config: ServerConfig;
  readonly env: Env;
  readonly logger: Logger;
}

export function grpcTransport(options: GrpcTransportOptions): Transport {
  return { peers: (peerOptions) => peerTransport(options, peerOptions), clients: () => clientTransport(options) };
}

function peerTransport({ config, env, logger }: GrpcTransportOptions, options: PeerOptions): PeerTransport {
  const maxReceiveBytes = PEER_BATCH_BYTES + 2 * config.maxRequestBytes;
  let tls: TlsFiles | undefined;
  const peers = new Peers({ ...options, env, logger, maxReceiveBytes, tls: () => tls?.client });
  const server = serverOf({ env, logger }, 'peers', { maxReceiveBytes });
  peers.serve(server);
  return {
    send: (messages) => peers.send(messages),
    update: (addresses) => peers.update(addresses),
    connectedSinceMs: (peer) => peers.connectedSinceMs(peer),
    sendSnapshot: (to, source) => peers.sendSnapshot(to, source),
    promote: (leader, learner) => peers.promote(leader, learner),
    async listen() {
      tls = config.peerTls && (await TlsFiles.open(env, config.peerTls));
      await listenOn(server, config.listenPeerUrls, tls, logger);
    },
    async close() {
      tls?.close();
      await peers.close();
      await server.close({ graceMs: 0 });
    },
  };
}

function clientTransport({ config, env, logger }: GrpcTransportOptions): ClientTransport {
  const http = new HttpSide(env.timers, logger);
  const server = serverOf({ env, logger }, 'clients', {
    maxReceiveBytes: config.maxRequestBytes + OVERHEAD_BYTES,
    onHttp1: (socket, received) => http.accept(socket, received),
    onHttp2: (exchange) => void http.exchange(exchange),
    http2: { maxConcurrentStreams: serverDefaults.maxConcurrentStreams },
  });
  addReflection(server);
  let tls: TlsFiles | undefined;
  return {
    addService: (service, handlers) => server.addService(service, handlers),
    addHttp: (handler) => http.add(handler),
    async listen() {
      tls = config.clientTls && (await TlsFiles.open(env, config.clientTls));
      return listenOn(server, config.listenClientUrls, tls, logger);
    },
    async close(closing) {
      tls?.close();
      http.close();
      await server.close(closing);
    },
  };
}

/** Listens on all of `urls`; returns the addresses. */
async function listenOn(server: Server, urls: readonly EndpointUrl[], tls: TlsFiles | undefined, logger: Logger): Promise<string[]> {
  const addresses: string[] = [];
  const secure: { setTls: (tls: TlsFiles['server']) => void }[] = [];
  for (const { host, port, isSecure } of urls) {
    const listening = await server.listen({ host, port, ...(isSecure && tls !== undefined && { tls: tls.server }) });
    addresses.push(hostAndPort(host, listening.port));
    if (isSecure) secure.push(listening);
  }
  tls?.watch(logger, () => {
    for (const listening of secure) listening.setTls(tls.server);
  });
  return addresses;
}

function serverOf(
  { env, logger }: { readonly env: Env; readonly logger: Logger },
  port: 'clients' | 'peers',
  options: ServerOptions,
): Server {
  const refusals = new Refusals(env, logger, port);
  return createServer({
    env,
    onUnexpectedError: (error, path) => logger.error('a handler failed', { path, error }),
    onBadConnection(remote, error) {
      // Who only looks whether somebody listens hangs up within the handshake: no news.
      if (error instanceof NetError && error.code !== 'tls') logger.debug('a connection failed', { from: remote, reason: error.message });
      else refusals.add(remote, error.message);
    },
    ...options,
  });
}
