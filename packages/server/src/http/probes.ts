// What operators and orchestrators ask a member over HTTP: /health, /livez, /readyz and /version, in etcd's shapes.
import { messageOf } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServiceContext } from '../services/context.ts';
import { ETCD_API_VERSION, STORAGE_VERSION } from '../services/maintenance.ts';
import { json, text } from './http-side.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './types.ts';

/** Checks by name; each returns why it fails, or undefined. */
type Checks = Readonly<Record<string, (context: ServiceContext) => Promise<string | undefined>>>;

const serializable = async ({ store }: ServiceContext): Promise<string | undefined> =>
  Number.isSafeInteger(store.state.revision) ? undefined : 'the store has no revision';

async function linearizable({ replica }: ServiceContext): Promise<string | undefined> {
  try {
    await replica.linearize();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const notCorrupt = async ({ store }: ServiceContext): Promise<string | undefined> =>
  store.alarms.list(pb.AlarmType.CORRUPT).length > 0 ? 'alarm activated: CORRUPT' : undefined;

const livez: Checks = { serializable_read: serializable };
const readyz: Checks = { data_corruption: notCorrupt, serializable_read: serializable, linearizable_read: linearizable };

export function probes(context: ServiceContext): HttpHandler {
  return (request) => {
    const { path } = request;
    if (path !== '/version' && path !== '/health' && !/^\/(livez|readyz)(\/|$)/.test(path)) return undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD') return { ...text(405, 'Method Not Allowed'), headers: { allow: 'GET' } };
    if (path === '/version') return version();
    if (path === '/health') return healthOf(context, request);
    return check(context, request, path.startsWith('/livez') ? 'livez' : 'readyz');
  };
}

function version(): HttpResponse {
  return json(200, { etcdserver: ETCD_API_VERSION, etcdcluster: STORAGE_VERSION, storage: STORAGE_VERSION });
}

async function healthOf(context: ServiceContext, { query }: HttpRequest): Promise<HttpResponse> {
  const reason = await sickness(context, new Set(query.getAll('exclude')), query.get('serializable') === 'true');
  return json(reason === undefined ? 200 : 503, { health: String(reason === undefined), reason: reason ?? '' });
}

async function sickness(context: ServiceContext, exclude: ReadonlySet<string>, isSerializable: boolean): Promise<string | undefined> {
  for (const { alarm } of context.store.alarms.list(pb.AlarmType.NONE)) {
    const name = alarm === pb.AlarmType.NOSPACE ? 'NOSPACE' : alarm === pb.AlarmType.CORRUPT ? 'CORRUPT' : 'UNKNOWN';
    if (!exclude.has(name)) return `ALARM ${name}`;
  }
  if (isSerializable) return serializable(context);
  if (context.replica.leader === undefined) return 'RAFT NO LEADER';
  const failure = await linearizable(context);
  return failure === undefined ? undefined : `QGET ERROR:${failure}`;
}

async function check(context: ServiceContext, { path, query }: HttpRequest, name: 'livez' | 'readyz'): Promise<HttpResponse> {
  const all = name === 'livez' ? livez : readyz;
  const one = path.slice(name.length + 2);
  const chosen = one === '' ? Object.entries(all) : Object.entries(all).filter(([each]) => each === one);
  if (chosen.length === 0) return text(404, '404 page not found');
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  let failed = false;
  for (const [each, run] of chosen) {
    const reason = excluded.has(each) ? undefined : await run(context);
    failed ||= reason !== undefined;
    if (excluded.has(each)) lines.push(`[+]${each} excluded: ok`);
    else lines.push(reason === undefined ? `[+]${each} ok` : `[-]${each} failed: ${reason}`);
  }
  if (failed) return text(503, [...lines, `${name} check failed`].join('\n'));
  if (!query.has('verbose')) return { ...text(200, ''), body: 'ok' };
  return text(200, [...lines, `${name} check passed`].join('\n'));
}
