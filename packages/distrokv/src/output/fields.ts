// `-w fields`: etcdctl's one field a line, `"Name" : value`, with texts quoted as Go quotes them.
import { messageOf, utf8 } from '@distrokv/base';
import type { etcdserverpb, mvccpb } from '@distrokv/client';
import { formatTook } from '../duration.ts';
import { goQuote } from './escape.ts';
import type { Format } from './format.ts';
import type { RecordValue } from './record.ts';

type Field = readonly [name: string, value: string | number | bigint | boolean];

export const fieldsFormat: Format = {
  put: ({ header, prevKv }) => lines([...headerOf(header), ...(prevKv ? pairOf(prevKv, 'Prev') : [])]),
  get: ({ header, kvs, more, count }) =>
    lines([...headerOf(header), ...kvs.flatMap((kv) => pairOf(kv, '')), ['More', more], ['Count', count]]),
  delete: ({ header, deleted, prevKvs }) =>
    lines([...headerOf(header), ['Deleted', deleted], ...prevKvs.flatMap((kv) => pairOf(kv, 'Prev'))]),
  endpointStatus: (list) =>
    list.map(({ endpoint, status }) => (status instanceof Error ? '' : `${lines(statusOf(endpoint, status))}\n`)).join(''),
  endpointHealth: (list) =>
    list
      .map(({ endpoint, tookMs, error }) => {
        const fields: Field[] = [
          ['Endpoint', text(endpoint)],
          ['Health', error === undefined],
          ['Took', formatTook(tookMs)],
        ];
        return `${lines([...fields, ['Error', error ? messageOf(error) : '']])}\n`;
      })
      .join(''),
  watch: ({ header, events }) =>
    lines([
      ...headerOf(header),
      ...events.flatMap(({ type, kv, prevKv }): Field[] => [
        ['Type', type === 1 ? 'DELETE' : 'PUT'],
        ...(prevKv ? pairOf(prevKv, 'Prev') : []),
        ...(kv ? pairOf(kv, '') : []),
      ]),
    ]),
  txn: ({ header, succeeded, responses }) =>
    lines([...headerOf(header), ['Succeeded', succeeded], ...responses.flatMap(({ response }) => resultOf(response))]),
  record: ({ header, fields }) => lines([...headerOf(header), ...fields.flatMap(({ name, value }) => valuesOf(name, value))]),
  memberList: ({ header, members }) => lines(headerOf(header)) + members.map((member) => `${lines(memberOf(member))}\n`).join(''),
  memberChange: ({ header, members }) => fieldsFormat.memberList({ header, members }),
};

function lines(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `"${name}" : ${value}\n`).join('');
}

function text(value: string): string {
  return goQuote(utf8(value));
}

function valuesOf(name: string, value: RecordValue): Field[] {
  if (typeof value === 'string') return [[name, text(value)]];
  if (value instanceof Uint8Array) return [[name, goQuote(value)]];
  if (typeof value !== 'object') return [[name, value]];
  return [...value].map((one): Field => [name, one instanceof Uint8Array ? goQuote(one) : one]);
}

function resultOf(response: etcdserverpb.ResponseOp['response']): Field[] {
  switch (response?.case) {
    case 'responsePut':
      return response.value.prevKv ? pairOf(response.value.prevKv, 'Prev') : [];
    case 'responseRange':
      return [...response.value.kvs.flatMap((kv) => pairOf(kv, '')), ['More', response.value.more], ['Count', response.value.count]];
    case 'responseDeleteRange':
      return [['Deleted', response.value.deleted], ...response.value.prevKvs.flatMap((kv) => pairOf(kv, 'Prev'))];
    default:
      return [];
  }
}

function headerOf(header: etcdserverpb.ResponseHeader | undefined): Field[] {
  if (!header) return [];
  return [
    ['ClusterID', header.clusterId],
    ['MemberID', header.memberId],
    ['Revision', header.revision],
    ['RaftTerm', header.raftTerm],
  ];
}

function pairOf(kv: mvccpb.KeyValue, prefix: 'Prev' | ''): Field[] {
  return [
    [`${prefix}Key`, goQuote(kv.key)],
    [`${prefix}CreateRevision`, kv.createRevision],
    [`${prefix}ModRevision`, kv.modRevision],
    [`${prefix}Version`, kv.version],
    [`${prefix}Value`, goQuote(kv.value)],
    [`${prefix}Lease`, kv.lease],
  ];
}

function statusOf(endpoint: string, status: etcdserverpb.StatusResponse): Field[] {
  return [
    ...headerOf(status.header),
    ['Version', text(status.version)],
    ['DBSize', status.dbSize],
    ['Leader', status.leader],
    ['IsLearner', status.isLearner],
    ['RaftIndex', status.raftIndex],
    ['RaftTerm', status.raftTerm],
    ['RaftAppliedIndex', status.raftAppliedIndex],
    ['Errors', `[${status.errors.map(text).join(' ')}]`],
    ['Endpoint', text(endpoint)],
  ];
}

function memberOf(member: etcdserverpb.Member): Field[] {
  return [
    ['ID', member.id],
    ['Name', text(member.name)],
    ...member.peerURLs.map((url): Field => ['PeerURL', text(url)]),
    ...member.clientURLs.map((url): Field => ['ClientURL', text(url)]),
    ['IsLearner', member.isLearner],
  ];
}
