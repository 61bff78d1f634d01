// `-w table`: for people. Keys and values are shown as text, what is none is escaped, and what is long is cut. (etcdctl has no
// table for keys; its columns for endpoints and members are these.)
import { EMPTY, hexId, messageOf } from '@distrokv/base';
import type { etcdserverpb, mvccpb } from '@distrokv/client';
import Table from 'cli-table3';
import { formatTook } from '../duration.ts';
import { hexBytes, readable } from './escape.ts';
import { type EndpointStatus, type Format, formatSize, isLeader } from './format.ts';
import { changeLine, memberStatus } from './simple.ts';

/** Longest text of one cell, in characters. */
const maxCell = 100;

export function tableFormat({ hex }: { readonly hex: boolean }): Format {
  const cell = (bytes: Uint8Array): string => {
    // A character has at most four bytes: so many are enough to fill the cell.
    const head = bytes.subarray(0, maxCell * 4);
    const text = hex ? hexBytes(head) : readable(head);
    return text.length > maxCell ? `${text.slice(0, maxCell - 1)}… (${bytes.length} bytes)` : text;
  };
  const pairs = (kvs: readonly mvccpb.KeyValue[]): string =>
    kvs.length === 0
      ? ''
      : render(
          ['KEY', 'VALUE', 'CREATED', 'MODIFIED', 'VERSION', 'LEASE'],
          kvs.map((kv) => [cell(kv.key), cell(kv.value), kv.createRevision, kv.modRevision, kv.version, leaseOf(kv)]),
        );
  return {
    put: ({ header, prevKv }) => render(['RESULT', 'REVISION'], [['OK', header?.revision ?? 0]]) + pairs(prevKv ? [prevKv] : []),
    get: ({ kvs, count }, { countOnly }) => (countOnly ? render(['COUNT'], [[count]]) : pairs(kvs)),
    delete: ({ header, deleted, prevKvs }) => render(['DELETED', 'REVISION'], [[deleted, header?.revision ?? 0]]) + pairs(prevKvs),
    endpointStatus: (list) => render([...statusHead], list.map(statusRow)),
    endpointHealth: (list) =>
      render(
        ['ENDPOINT', 'HEALTH', 'TOOK', 'ERROR'],
        list.map(({ endpoint, tookMs, error }) => [
          endpoint,
          String(error === undefined),
          formatTook(tookMs),
          error ? messageOf(error) : '',
        ]),
      ),
    watch: ({ events }) =>
      render(
        ['EVENT', 'KEY', 'VALUE', 'MODIFIED'],
        events.map(({ type, kv }) => [
          type === 1 ? 'DELETE' : 'PUT',
          cell(kv?.key ?? EMPTY),
          cell(kv?.value ?? EMPTY),
          kv?.modRevision ?? 0,
        ]),
      ),
    txn: ({ header, succeeded, responses }) =>
      render(['RESULT', 'REVISION'], [[succeeded ? 'SUCCESS' : 'FAILURE', header?.revision ?? 0]]) +
      responses.map(({ response }) => (response?.case === 'responseRange' ? pairs(response.value.kvs) : '')).join(''),
    record: ({ fields }) =>
      render(
        fields.map(({ name }) => name.toUpperCase()),
        [
          fields.map(({ value }) => {
            if (typeof value === 'number' || typeof value === 'string') return value;
            if (typeof value === 'bigint') return hexId(BigInt.asUintN(64, value));
            if (typeof value === 'boolean') return String(value);
            if (value instanceof Uint8Array) return cell(value);
            return [...value].map((one) => (one instanceof Uint8Array ? cell(one) : hexId(BigInt.asUintN(64, one)))).join(', ');
          }),
        ],
      ),
    memberList: ({ members }) => render(['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'], members.map(memberRow)),
    memberChange: (change) =>
      changeLine(change) + render(['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'], change.members.map(memberRow)),
  };
}

const statusHead = [
  'ENDPOINT',
  'ID',
  'VERSION',
  'DB SIZE',
  'IS LEADER',
  'IS LEARNER',
  'RAFT TERM',
  'RAFT INDEX',
  'RAFT APPLIED INDEX',
  'ERRORS',
] as const;

export type Row = (string | number)[];

function statusRow({ endpoint, status }: EndpointStatus): Row {
  if (status instanceof Error) return [endpoint, ...statusHead.slice(2).map(() => ''), messageOf(status)];
  const { version, isLearner, raftTerm, raftIndex, raftAppliedIndex, errors } = status;
  const id = hexId(status.header?.memberId ?? 0n);
  const roles = [String(isLeader(status)), String(isLearner)];
  return [endpoint, id, version, formatSize(status.dbSize), ...roles, raftTerm, raftIndex, raftAppliedIndex, errors.join(', ')];
}

function memberRow(member: etcdserverpb.Member): Row {
  const { id, name, peerURLs, clientURLs, isLearner } = member;
  return [hexId(id), memberStatus(member), name, peerURLs.join(), clientURLs.join(), String(isLearner)];
}

function leaseOf(kv: mvccpb.KeyValue): string {
  return kv.lease === 0n ? '' : hexId(BigInt.asUintN(64, kv.lease));
}

/** Lines of ASCII, which every terminal, pager and grep takes; numbers stand to the right. */
export function render(head: string[], rows: readonly Row[]): string {
  const numeric = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const table = new Table({
    head,
    chars: ascii,
    style: { head: [], border: [] },
    colAligns: numeric.map((right) => (right ? 'right' : 'left')),
  });
  for (const row of rows) table.push(row);
  return `${withoutInnerRules(table.toString())}\n`;
}

const ascii = {
  top: '-',
  'top-mid': '+',
  'top-left': '+',
  'top-right': '+',
  bottom: '-',
  'bottom-mid': '+',
  'bottom-left': '+',
  'bottom-right': '+',
  left: '|',
  'left-mid': '+',
  mid: '-',
  'mid-mid': '+',
  right: '|',
  'right-mid': '+',
  middle: '|',
};

/** Keeps the rule under the head and drops those between rows. */
function withoutInnerRules(table: string): string {
  const lines = table.split('\n');
  return lines.filter((line, i) => !line.startsWith('+-') || i <= 2 || i === lines.length - 1).join('\n');
}
