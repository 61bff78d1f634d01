// `-w json`: etcdctl's JSON. Field names are the API's, bytes are base64, zero values are left out, and 64-bit numbers are
// written in full as JSON numbers: the runtime's own JSON cannot do that, hence the few lines at the end.
import type { etcdserverpb, mvccpb } from '@distrokv/client';
import { formatTook } from '../duration.ts';
import type { Format } from './format.ts';

type Json = string | number | bigint | boolean | Uint8Array | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json | undefined;
}

export const jsonFormat: Format = {
  put: ({ header, prevKv }) => line({ header: headerOf(header), prev_kv: prevKv && pairOf(prevKv) }),
  get: ({ header, kvs, more, count }) => line({ header: headerOf(header), kvs: kvs.map(pairOf), more, count }),
  delete: ({ header, deleted, prevKvs }) => line({ header: headerOf(header), deleted, prev_kvs: prevKvs.map(pairOf) }),
  endpointStatus: (list) =>
    `${write(list.flatMap(({ endpoint, status }) => (status instanceof Error ? [] : [{ Endpoint: endpoint, Status: statusOf(status) }])))}\n`,
  endpointHealth: (list) =>
    `${write(list.map(({ endpoint, tookMs, error }) => ({ endpoint, health: error === undefined, took: formatTook(tookMs), error: error?.message })))}\n`,
  memberList: ({ header, members }) => line({ header: headerOf(header), members: members.map(memberOf) }),
  watch: ({ header, events, compactRevision, canceled, created }) =>
    `${write({ Header: headerOf(header), Events: events.map(eventOf), CompactRevision: compactRevision, Canceled: canceled, Created: created })}\n`,
  txn: ({ header, succeeded, responses }) => line({ header: headerOf(header), succeeded, responses: responses.map(resultOf) }),
  record: ({ header, fields }) =>
    line({ header: headerOf(header), ...Object.fromEntries(fields.map(({ json, value }): [string, Json] => [json, value])) }),
  memberChange: (change) => {
    const member = change.kind === 'added' ? change.members.find(({ id }) => id === change.id) : undefined;
    return line({ header: headerOf(change.header), member: member && memberOf(member), members: change.members.map(memberOf) });
  },
};

function headerOf(header: etcdserverpb.ResponseHeader | undefined): JsonObject | undefined {
  return (
    header &&
    withoutZeros({
      cluster_id: header.clusterId,
      member_id: header.memberId,
      revision: header.revision,
      raft_term: header.raftTerm,
    })
  );
}

function pairOf({ key, createRevision, modRevision, version, value, lease }: mvccpb.KeyValue): JsonObject {
  return withoutZeros({ key, create_revision: createRevision, mod_revision: modRevision, version, value, lease });
}

function eventOf({ type, kv, prevKv }: mvccpb.Event): JsonObject {
  return withoutZeros({ type, kv: kv && pairOf(kv), prev_kv: prevKv && pairOf(prevKv) });
}

/** As Go writes one of several. */
function resultOf({ response }: etcdserverpb.ResponseOp): JsonObject {
  switch (response?.case) {
    case 'responsePut': {
      const { header, prevKv } = response.value;
      return { Response: { response_put: withoutZeros({ header: headerOf(header), prev_kv: prevKv && pairOf(prevKv) }) } };
    }
    case 'responseRange': {
      const { header, kvs, more, count } = response.value;
      return { Response: { response_range: withoutZeros({ header: headerOf(header), kvs: kvs.map(pairOf), more, count }) } };
    }
    case 'responseDeleteRange': {
      const { header, deleted, prevKvs } = response.value;
      return { Response: { response_delete_range: withoutZeros({ header: headerOf(header), deleted, prev_kvs: prevKvs.map(pairOf) }) } };
    }
    default:
      return {};
  }
}

function statusOf(status: etcdserverpb.StatusResponse): JsonObject {
  const { version, dbSize, leader, raftIndex, raftTerm, raftAppliedIndex, errors, dbSizeInUse, isLearner, storageVersion, dbSizeQuota } =
    status;
  const rest = {
    version,
    dbSize,
    leader,
    raftIndex,
    raftTerm,
    raftAppliedIndex,
    errors,
    dbSizeInUse,
    isLearner,
    storageVersion,
    dbSizeQuota,
  };
  return withoutZeros({ header: headerOf(status.header), ...rest });
}

function memberOf({ id, name, peerURLs, clientURLs, isLearner }: etcdserverpb.Member): JsonObject {
  return withoutZeros({ ID: id, name, peerURLs, clientURLs, isLearner });
}

function line(value: JsonObject): string {
  return `${write(withoutZeros(value))}\n`;
}

/** As Go's `omitempty`. */
function withoutZeros(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => !isZero(field)));
}

function isZero(value: Json | undefined): boolean {
  if (value === undefined || value === '' || value === 0 || value === 0n || value === false) return true;
  return (Array.isArray(value) || value instanceof Uint8Array) && value.length === 0;
}

function write(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'));
  if (typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(write).join()}]`;
  const fields = Object.entries(value).flatMap(([name, field]) => (field === undefined ? [] : [`${JSON.stringify(name)}:${write(field)}`]));
  return `{${fields.join()}}`;
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
