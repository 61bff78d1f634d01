// A real member in this process, for commands that a small fake store could not answer.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEnv, silentLogger } from '@distrokv/env';
import { parseEndpointUrl, serverDefaults, startServer } from '@distrokv/server';

export interface RealServer {
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startRealServer({
  quotaBytes = serverDefaults.quotaBytes,
}: { readonly quotaBytes?: number } = {}): Promise<RealServer> {
  const directory = await mkdtemp(join(tmpdir(), 'distrokv-test-'));
  const [client, peer] = [parseEndpointUrl('http://127.0.0.1:0', 'test'), parseEndpointUrl('http://127.0.0.1:0', 'test')];
  const { heartbeatMs, electionMs, maxRequestBytes, maxTxnOps, initialClusterToken } = serverDefaults;
  const server = await startServer({
    env: createNodeEnv(),
    logger: silentLogger,
    config: {
      name: 'n1',
      dataDirectory: join(directory, 'data'),
      listenClientUrls: [client],
      advertiseClientUrls: [client],
      listenPeerUrls: [peer],
      initialAdvertisePeerUrls: [peer],
      initialCluster: [{ name: 'n1', peerUrls: [peer] }],
      initialClusterState: 'new',
      initialClusterToken,
      heartbeatMs,
      electionMs,
      quotaBytes,
      maxRequestBytes,
      maxTxnOps,
    },
  });
  await server.ready;
  return {
    endpoint: server.clientAddresses[0] ?? '',
    async close() {
      await server.stop({ graceMs: 0 });
      await rm(directory, { recursive: true, force: true });
    },
  };
}
