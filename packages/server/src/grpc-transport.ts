// The transport of a real member: gRPC on the ports that its configuration names.
import type { Env, Logger } from '@distrokv/env';
import { type Server, createServer } from '@distrokv/grpc';
import type { ServerConfig } from './config.ts';
import { Peers } from './peers/peers.ts';
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
  const peers = new Peers({ ...options, env, logger, maxReceiveBytes });
  const server = serverOf(logger, maxReceiveBytes);
  peers.serve(server);
  return {
    send: (messages) => peers.send(messages),
    update: (addresses) => peers.update(addresses),
    connectedSinceMs: (peer) => peers.connectedSinceMs(peer),
    sendSnapshot: (to, source) => peers.sendSnapshot(to, source),
    promote: (leader, learner) => peers.promote(leader, learner),
    async listen() {
      for (const { host, port } of config.listenPeerUrls) await server.listen({ host, port });
    },
    async close() {
      await peers.close();
      await server.close({ graceMs: 0 });
    },
  };
}

function clientTransport({ config, logger }: GrpcTransportOptions): ClientTransport {
  const server = serverOf(logger, config.maxRequestBytes + OVERHEAD_BYTES);
  return {
    addService: (service, handlers) => server.addService(service, handlers),
    async listen() {
      const addresses: string[] = [];
      for (const { host, port } of config.listenClientUrls) {
        const taken = await server.listen({ host, port });
        addresses.push(`${host.includes(':') ? `[${host}]` : host}:${taken.port}`);
      }
      return addresses;
    },
    close: (closing) => server.close(closing),
  };
}

function serverOf(logger: Logger, maxReceiveBytes: number): Server {
  return createServer({ maxReceiveBytes, onUnexpectedError: (error, path) => logger.error('a handler failed', { path, error }) });
}
