// `-w simple`: byte for byte what etcdctl prints, so that scripts written for it go on working.
import { concatBytes, hexId, messageOf, utf8 } from '@distrokv/base';
import type { etcdserverpb, mvccpb } from '@distrokv/client';
import { formatTook } from '../duration.ts';
import { hexBytes } from './escape.ts';
import { type EndpointHealth, type EndpointStatus, type Format, type MemberChange, formatSize, isLeader } from './format.ts';

const newline = utf8('\n');

export function simpleFormat({ hex }: { readonly hex: boolean }): Format {
  const shown = hex ? (bytes: Uint8Array): Uint8Array => utf8(hexBytes(bytes)) : (bytes: Uint8Array): Uint8Array => bytes;
  const pair = (kv: mvccpb.KeyValue): Uint8Array[] => [shown(kv.key), newline, shown(kv.value), newline];
  const event = ({ type, kv, prevKv }: mvccpb.Event): Uint8Array[] => [
    utf8(type === 1 ? 'DELETE\n' : 'PUT\n'),
    ...(prevKv ? pair(prevKv) : []),
    ...(kv ? pair(kv) : []),
  ];
  const result = ({ response }: etcdserverpb.ResponseOp): Uint8Array[] => {
    switch (response?.case) {
      case 'responsePut':
        return [utf8('OK\n'), ...(response.value.prevKv ? pair(response.value.prevKv) : [])];
      case 'responseRange':
        return response.value.kvs.flatMap(pair);
      case 'responseDeleteRange':
        return [utf8(`${response.value.deleted}\n`), ...response.value.prevKvs.flatMap(pair)];
      default:
        return [];
    }
  };
  return {
    watch: ({ events }) => concatBytes(events.flatMap(event)),
    txn: ({ succeeded, responses }) =>
      concatBytes([utf8(succeeded ? 'SUCCESS\n' : 'FAILURE\n'), ...responses.flatMap((each) => [newline, ...result(each)])]),
    record: ({ text }) => text,
    put: ({ prevKv }) => concatBytes([utf8('OK\n'), ...(prevKv ? pair(prevKv) : [])]),
    get({ kvs, count }, { valueOnly, countOnly }) {
      if (countOnly) return `${count}\n`;
      return concatBytes(kvs.flatMap((kv) => (valueOnly ? [shown(kv.value), newline] : pair(kv))));
    },
    delete: ({ deleted, prevKvs }) => concatBytes([utf8(`${deleted}\n`), ...prevKvs.flatMap(pair)]),
    endpointStatus: (list) => list.map(statusLine).join(''),
    endpointHealth: (list) => list.map(healthLine).join(''),
    memberList: ({ members }) => members.map(memberLine).join(''),
    memberChange: (change) => `${changeLine(change)}${change.kind === 'added' ? startLines(change) : ''}`,
  };
}

/** Endpoints without an answer are told as errors, not among the answers. */
function statusLine({ endpoint, status }: EndpointStatus): string {
  if (status instanceof Error) return '';
  const { version, isLearner, raftTerm, raftIndex, raftAppliedIndex, errors } = status;
  const id = hexId(status.header?.memberId ?? 0n);
  const all = [endpoint, id, version, formatSize(status.dbSize), isLeader(status), isLearner, raftTerm, raftIndex, raftAppliedIndex];
  return `${[...all, errors.join(', ')].join(', ')}\n`;
}

function healthLine({ endpoint, tookMs, error }: EndpointHealth): string {
  if (error) return `${endpoint} is unhealthy: failed to commit proposal: ${messageOf(error)}\n`;
  return `${endpoint} is healthy: successfully committed proposal: took = ${formatTook(tookMs)}\n`;
}

function memberLine(member: etcdserverpb.Member): string {
  const { name, peerURLs, clientURLs, isLearner } = member;
  return `${[hexId(member.id), memberStatus(member), name, peerURLs.join(), clientURLs.join(), isLearner].join(', ')}\n`;
}

export function changeLine(change: MemberChange): string {
  const wide = (id: bigint): string => hexId(id).padStart(16);
  const words = {
    added: change.kind === 'added' && change.isLearner ? 'added as learner to' : 'added to',
    removed: 'removed from',
    updated: 'updated in',
    promoted: 'promoted in',
  } as const;
  return `Member ${wide(change.id)} ${words[change.kind]} cluster ${wide(change.header?.clusterId ?? 0n)}\n`;
}

/** What the new member is to be started with: variables that `distrokv server` reads, as etcd does. */
function startLines({ id, name, peerURLs, members }: MemberChange & { readonly kind: 'added' }): string {
  const cluster = members.flatMap((member) => member.peerURLs.map((url) => `${member.id === id ? name : member.name}=${url}`)).join();
  const lines = [
    `NAME="${name}"`,
    `INITIAL_CLUSTER="${cluster}"`,
    `INITIAL_ADVERTISE_PEER_URLS="${peerURLs.join()}"`,
    'INITIAL_CLUSTER_STATE="existing"',
  ];
  return `\n${lines.map((line) => `ETCD_${line}\n`).join('')}`;
}

/** A member that never started has told no name yet. */
export function memberStatus(member: etcdserverpb.Member): 'started' | 'unstarted' {
  return member.name === '' ? 'unstarted' : 'started';
}
