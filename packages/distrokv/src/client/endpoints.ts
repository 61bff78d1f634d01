// `endpoint status`, `endpoint health` and `member list`: each endpoint is asked about itself, all at once, and one that does
// not answer is told and not hidden.
import type { Client } from '@distrokv/client';
import { ClientError } from '@distrokv/client';
import { CommandError } from '../errors.ts';
import type { Host } from '../host.ts';
import type { EndpointHealth, EndpointStatus, FormatName } from '../output/format.ts';
import { explain } from './explain.ts';
import { type Globals, withClient } from './globals.ts';

/** For people a table, for programs etcdctl's lines. */
function defaultFormat(host: Host): FormatName {
  return host.stdout.isTerminal ? 'table' : 'simple';
}

export async function runEndpointStatus(host: Host, globals: Globals): Promise<void> {
  await withClient(globals, defaultFormat(host), async (client, format) => {
    const list = await Promise.all(globals.endpoints.map((endpoint) => statusOf(client, endpoint)));
    host.stdout.write(format.endpointStatus(list));
    const failed = list.flatMap(({ endpoint, status }) => (status instanceof Error ? [`${endpoint}: ${status.message}`] : []));
    if (failed.length > 0) throw new CommandError('failed', `no status of ${failed.join('; ')}`);
  });
}

async function statusOf(client: Client, endpoint: string): Promise<EndpointStatus> {
  try {
    return { endpoint, status: await client.status(endpoint) };
  } catch (error) {
    return { endpoint, status: failureOf(error, endpoint) };
  }
}

export async function runEndpointHealth(host: Host, globals: Globals): Promise<void> {
  await withClient(globals, defaultFormat(host), async (_, format) => {
    const list = await Promise.all(globals.endpoints.map((endpoint) => healthOf(host, globals, endpoint)));
    host.stdout.write(format.endpointHealth(list));
    const unhealthy = list.filter(({ error }) => error !== undefined).length;
    if (unhealthy > 0) throw new CommandError('failed', `unhealthy cluster: ${unhealthy} of ${list.length} endpoints failed`);
  });
}

/** Healthy is who can serve a linearizable read: that takes a leader and a quorum. */
async function healthOf(host: Host, globals: Globals, endpoint: string): Promise<EndpointHealth> {
  const startMs = host.nowMs();
  const took = (): number => host.nowMs() - startMs;
  try {
    await withClient({ ...globals, endpoints: [endpoint] }, 'simple', (client) => client.get('health', { limit: 1 }));
    return { endpoint, tookMs: took(), error: undefined };
  } catch (error) {
    const tookMs = took();
    // A server that says "permission denied" has looked.
    if (error instanceof ClientError && error.status === 'permission-denied') return { endpoint, tookMs, error: undefined };
    return { endpoint, tookMs, error: failureOf(error, endpoint) };
  }
}

export async function runMemberList(host: Host, globals: Globals): Promise<void> {
  await withClient(globals, defaultFormat(host), async (client, format) => {
    host.stdout.write(format.memberList(await client.memberList()));
  });
}

/** The failure without the endpoint's name in front, which the caller shows anyway. Anything but a failed call is a bug and goes on. */
function failureOf(error: unknown, endpoint: string): Error {
  if (!(error instanceof ClientError)) throw error;
  const text = explain(error);
  return new Error(text.startsWith(`${endpoint}: `) ? text.slice(endpoint.length + 2) : text, { cause: error });
}
