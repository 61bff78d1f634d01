// /metrics: the figures of a member in the text format of Prometheus (version 0.0.4), under etcd's names where etcd has them, so that its
// dashboards and alerts fit. What is told is read when it is asked for; nothing is counted on the way that is not known anyway.
import type { ServiceContext } from '../services/context.ts';
import { ETCD_API_VERSION } from '../services/maintenance.ts';
import { text } from './http-side.ts';
import type { HttpHandler } from './types.ts';

type Type = 'gauge' | 'counter';
type Metric = readonly [name: string, type: Type, help: string, value: number, labels?: string];

/** Counts from now on what has to be counted: made once, when the member is. */
export function metrics(context: ServiceContext): HttpHandler {
  let leaderChanges = 0;
  context.replica.onLeaderChange(() => leaderChanges++);
  return ({ path, method }) => {
    if (path !== '/metrics') return undefined;
    if (method !== 'GET' && method !== 'HEAD') return { ...text(405, 'Method Not Allowed'), headers: { allow: 'GET' } };
    const body = [...figures(context, leaderChanges)].map(lines).join('');
    return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body };
  };
}

function lines([name, type, help, value, labels = '']: Metric): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${labels} ${value}\n`;
}

function* figures(context: ServiceContext, leaderChanges: number): Iterable<Metric> {
  const { replica, store, config, memberId, stalls } = context;
  const { leader, term, commit, applied, rejected } = replica.status;
  const { pending, failed } = replica.proposalCounts;
  const quota = Number.isFinite(config.quotaBytes) ? config.quotaBytes : 0;
  const size = store.sizeBytes;
  yield ['etcd_server_has_leader', 'gauge', 'Whether this member knows a leader: 1, or 0.', Number(leader !== undefined)];
  yield ['etcd_server_is_leader', 'gauge', 'Whether this member leads: 1, or 0.', Number(leader === memberId)];
  yield ['etcd_server_is_learner', 'gauge', 'Whether this member has no vote: 1, or 0.', Number(replica.isLearner)];
  yield ['etcd_server_leader_changes_seen_total', 'counter', 'Leaders that this member has seen begin.', leaderChanges];
  yield ['etcd_server_proposals_committed_total', 'gauge', 'Index of the last entry that is known to be committed.', commit];
  yield ['etcd_server_proposals_applied_total', 'gauge', 'Index of the last entry that is applied.', applied];
  yield ['etcd_server_proposals_pending', 'gauge', 'Commands whose clients wait at this member.', pending];
  yield [
    'etcd_server_proposals_failed_total',
    'counter',
    'Commands of clients of this member that came to nothing, or to nobody knows what.',
    failed,
  ];
  yield ['etcd_server_quota_backend_bytes', 'gauge', 'Size that the store may have; 0: any.', quota];
  yield ['etcd_server_version', 'gauge', 'The version of etcd whose API is served.', 1, `{server_version="${ETCD_API_VERSION}"}`];
  yield ['etcd_mvcc_db_total_size_in_bytes', 'gauge', 'Size of the store.', size];
  yield ['etcd_mvcc_db_total_size_in_use_in_bytes', 'gauge', 'Size of the store: space is given back as tables are merged.', size];
  yield ['distrokv_raft_term', 'gauge', 'The term that this member is in.', term];
  yield ['distrokv_raft_rejected_messages_total', 'counter', 'Messages of peers that no correct peer sends, refused.', rejected];
  if (stalls === undefined) return;
  yield ['distrokv_event_loop_stalls_total', 'counter', 'Stalls of the event loop longer than a heartbeat.', stalls.count];
  yield ['distrokv_event_loop_stall_seconds_max', 'gauge', 'The longest stall of the event loop since the start.', stalls.maxMs / 1000];
}
