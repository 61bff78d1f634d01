// A real gRPC server over loopback whose services do what a test says.
import { createServer, type Handlers, type Server } from '@distrokv/grpc';
import { etcdserverpb, kvservice } from '@distrokv/proto';

export interface FakeServer {
  /** As "127.0.0.1:port". */
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface FakeServices {
  readonly kv?: Handlers<typeof etcdserverpb.KV>;
  readonly watch?: Handlers<typeof etcdserverpb.Watch>;
  readonly lease?: Handlers<typeof etcdserverpb.Lease>;
  readonly cluster?: Handlers<typeof etcdserverpb.Cluster>;
  readonly maintenance?: Handlers<typeof etcdserverpb.Maintenance>;
  readonly ancestor?: Handlers<typeof kvservice.KVService>;
}

export async function startFakeServer(services: FakeServices): Promise<FakeServer> {
  const server: Server = createServer();
  server.addService(etcdserverpb.KV, services.kv ?? {});
  server.addService(etcdserverpb.Watch, services.watch ?? {});
  server.addService(etcdserverpb.Lease, services.lease ?? {});
  server.addService(etcdserverpb.Cluster, services.cluster ?? {});
  server.addService(etcdserverpb.Maintenance, services.maintenance ?? {});
  server.addService(kvservice.KVService, services.ancestor ?? {});
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { endpoint: `127.0.0.1:${port}`, close: () => server.close({ graceMs: 0 }) };
}

/** An endpoint where nobody listens: one that was just given up. */
export async function deadEndpoint(): Promise<string> {
  const server = await startFakeServer({});
  await server.close();
  return server.endpoint;
}
