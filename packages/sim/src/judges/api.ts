// All that clients of the API were told, judged in one replay of the committed log: the order of calls, leases, and what watchers were given.
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ApiHistory } from '../api/api-history.ts';
import { type Call, print } from '../api/calls.ts';
import type { CommittedLog } from '../api/committed-log.ts';
import { Replay } from '../api/replay.ts';
import type { Watched } from '../api/watched.ts';
import type { History } from '../history.ts';
import { Violation } from '../violation.ts';
import { ApiOrderJudge } from './api-order.ts';
import { type Asked, askedOf, askedOfOperated } from './asked.ts';
import { judgeLines, linesOf } from './lines.ts';
import { judgeObserved } from './observed.ts';
import { type LeaseTimes, type Renewal, judgeLeases, judgeTimeToLive } from './leases.ts';
import { judgeWatches } from './watches.ts';

export interface ApiEvidence {
  readonly history: History;
  readonly api: ApiHistory;
  readonly watches: readonly Watched[];
  readonly committed: CommittedLog;
  /** Of a machine: whether it was healed, and is a member. */
  readonly isHealed: (machine: number) => boolean;
  readonly times: Pick<LeaseTimes, 'rates' | 'calmSinceMs' | 'endMs'>;
  /** As a member has it in the end: all keys, and all leases with the keys that are tied to them. */
  readonly store: { readonly appliedIndex: number; readonly revision: number; readonly keys: string; readonly leases: string };
}

export interface ApiVerdict {
  readonly calls: number;
  readonly events: number;
}

/** Throws a Violation. */
export function judgeApi(evidence: ApiEvidence): ApiVerdict {
  const { history, api, watches, committed, isHealed, store } = evidence;
  if (committed.last !== store.appliedIndex)
    throw new Error(`the log was seen up to ${committed.last} only, of ${store.appliedIndex} entries`);
  const asked = [...history.operations.map(askedOfOperated), ...api.calls.map(askedOf)];
  const order = new ApiOrderJudge(asked);
  const replay = new Replay();
  const renewals: { readonly lease: bigint; readonly ttl: number; readonly position: number; readonly seenMs: number }[] = [];
  const compactions = new Set<number>();
  order.at(replay, undefined);
  for (const command of committed.commands) {
    const step = replay.step(command);
    order.at(replay, step);
    if (step.reply?.kind !== 'response' || !step.call) continue;
    if (step.call.kind === 'compact') compactions.add(step.call.request.revision);
    const lease = renewedBy(step.call);
    const ttl = lease === undefined ? undefined : replay.model.ttlOf(lease);
    if (lease !== undefined && ttl !== undefined) renewals.push({ lease, ttl, position: step.position, seenMs: command.seenMs });
  }
  const calls = order.end(replay);
  judgeStore(replay, store);
  const starts = new Map(asked.filter(({ call }) => renewedBy(call) !== undefined).map((one) => [order.placeOf(one), one.startMs]));
  judgeTimes(asked, order, replay, {
    ...evidence.times,
    ends: replay.ends,
    renewals: renewals.map((renewal): Renewal => ({ ...renewal, startMs: starts.get(renewal.position) })),
    seenMs: (position) => committed.commands[position - 1]?.seenMs ?? Infinity,
  });
  const { model } = replay;
  const seenOrders = committed.commands.map(({ seenOrder }) => seenOrder);
  judgeLines(api.claims, linesOf(model.history, model.revision), (revision) => seenOrders[replay.revisions.indexOf(revision) - 1] ?? -1);
  judgeObserved(api.observed, { events: model.history, revision: model.revision, compactions }, isHealed);
  return { calls, events: judgeWatches(watches, { events: model.history, revision: model.revision, compactions }, isHealed) };
}

function judgeTimes(asked: readonly Asked[], order: ApiOrderJudge, replay: Replay, times: LeaseTimes): void {
  judgeLeases(times, new Set(replay.model.leases));
  for (const one of asked) {
    const place = order.placeOf(one);
    if (one.told && place !== undefined) judgeTimeToLive(one, one.told, place, times);
  }
}

function judgeStore({ model }: Replay, store: ApiEvidence['store']): void {
  if (model.revision !== store.revision)
    throw new Violation('order', `the store is at revision ${store.revision} in the end, and its log makes ${model.revision} revisions`);
  const leases = model.leases
    .map((id) => model.perform({ kind: 'lease-time-to-live', request: { id, keys: true } }))
    .map((reply) => (reply.kind === 'response' && 'keys' in reply.response ? { id: reply.response.id, keys: reply.response.keys } : {}));
  if (print(leases) !== store.leases)
    throw new Violation('order', `the leases in the end are ${store.leases}, and should be ${print(leases)}`);
  const all = model.perform(ALL_KEYS);
  const keys = all.kind === 'response' && 'kvs' in all.response ? print(all.response.kvs) : '';
  if (keys !== store.keys)
    throw new Violation('order', `at the end the store is not what its log makes of it: ${store.keys}, and should be ${keys}`);
}

const ALL_KEYS: Call = { kind: 'range', request: pb.RangeRequest.create({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) }) };

function renewedBy(call: Call): bigint | undefined {
  return call.kind === 'lease-grant' || call.kind === 'lease-keep-alive' ? call.request.id : undefined;
}
