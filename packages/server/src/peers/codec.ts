// Raft's messages as protobuf, and back. What comes from a peer is checked for its shape here, and for its sense by the core's gateway;
// nothing of it reaches an assertion.
import { type LogIndex, type Term, logIndex, memberId, term, unreachable } from '@distrokv/base';
import { GrpcError } from '@distrokv/grpc';
import { peer as pb } from '@distrokv/proto';
import { type Entry, type EntryKind, type Message, decodeConfiguration, encodeConfiguration } from '@distrokv/raft';

type Body = NonNullable<pb.PeerMessage['body']>;

const kindNumbers: Readonly<Record<EntryKind, number>> = {
  noop: pb.EntryKind.NOOP,
  command: pb.EntryKind.COMMAND,
  config: pb.EntryKind.CONFIG,
};
const kindNames: readonly EntryKind[] = ['noop', 'command', 'config'];

export function toPeerMessage(message: Message): pb.PeerMessage {
  return { from: message.from, to: message.to, term: message.term, body: bodyOf(message) };
}

function bodyOf(m: Message): Body {
  switch (m.kind) {
    case 'pre-vote':
      return { case: 'preVote', value: { lastLogIndex: m.lastLogIndex, lastLogTerm: m.lastLogTerm } };
    case 'pre-vote-response':
      return { case: 'preVoteResponse', value: { granted: m.granted, askedInTerm: m.askedInTerm } };
    case 'request-vote':
      return { case: 'requestVote', value: { lastLogIndex: m.lastLogIndex, lastLogTerm: m.lastLogTerm, byTransfer: m.byTransfer } };
    case 'request-vote-response':
      return { case: 'requestVoteResponse', value: { granted: m.granted } };
    case 'append-entries': {
      const entries = m.entries.map((e) => ({ index: e.index, term: e.term, kind: kindNumbers[e.kind], data: e.data }));
      const { prevLogIndex, prevLogTerm, leaderCommit } = m;
      return { case: 'appendEntries', value: { prevLogIndex, prevLogTerm, entries, leaderCommit } };
    }
    case 'append-entries-response': {
      const { success, matchIndex, conflictIndex, conflictTerm } = m;
      return { case: 'appendEntriesResponse', value: { success, matchIndex, conflictIndex, conflictTerm } };
    }
    case 'heartbeat':
      return { case: 'heartbeat', value: { leaderCommit: m.leaderCommit, readRound: m.readRound } };
    case 'heartbeat-response':
      return { case: 'heartbeatResponse', value: { readRound: m.readRound, quietMs: m.quietMs } };
    case 'timeout-now':
      return { case: 'timeoutNow', value: {} };
    case 'propose':
      return { case: 'propose', value: { commands: m.commands } };
    case 'propose-configuration':
      return { case: 'proposeConfiguration', value: { basis: m.basis, target: encodeConfiguration(m.target) } };
    case 'read-index':
      return { case: 'readIndex', value: { context: m.context } };
    case 'read-index-response':
      return { case: 'readIndexResponse', value: { context: m.context, readIndex: m.readIndex } };
    default:
      return unreachable(m, 'message');
  }
}

/** Undefined for a kind that a newer version sends and this one does not know. Throws GrpcError `invalid-argument` on a message that no member sends. */
export function fromPeerMessage(message: pb.PeerMessage): Message | undefined {
  const envelope = { from: memberId(message.from), to: memberId(message.to), term: checked(message.term, term) };
  const { body } = message;
  switch (body?.case) {
    case 'preVote':
      return { ...envelope, kind: 'pre-vote', ...lastEntry(body.value) };
    case 'preVoteResponse':
      return {
        ...envelope,
        kind: 'pre-vote-response',
        granted: body.value.granted,
        askedInTerm: checked(body.value.askedInTerm, term),
      };
    case 'requestVote':
      return { ...envelope, kind: 'request-vote', ...lastEntry(body.value), byTransfer: body.value.byTransfer };
    case 'requestVoteResponse':
      return { ...envelope, kind: 'request-vote-response', granted: body.value.granted };
    case 'appendEntries': {
      const { prevLogIndex, prevLogTerm, entries, leaderCommit } = body.value;
      const previous = { prevLogIndex: index(prevLogIndex), prevLogTerm: checked(prevLogTerm, term) };
      return {
        ...envelope,
        kind: 'append-entries',
        ...previous,
        entries: entries.map(toEntry),
        leaderCommit: index(leaderCommit),
      };
    }
    case 'appendEntriesResponse': {
      const { success, matchIndex, conflictIndex, conflictTerm } = body.value;
      const conflict = { conflictIndex: index(conflictIndex), conflictTerm: checked(conflictTerm, term) };
      return { ...envelope, kind: 'append-entries-response', success, matchIndex: index(matchIndex), ...conflict };
    }
    case 'heartbeat': {
      const { leaderCommit, readRound } = body.value;
      return {
        ...envelope,
        kind: 'heartbeat',
        leaderCommit: index(leaderCommit),
        readRound: checked(readRound),
      };
    }
    case 'heartbeatResponse':
      return {
        ...envelope,
        kind: 'heartbeat-response',
        readRound: checked(body.value.readRound),
        quietMs: checked(body.value.quietMs),
      };
    case 'timeoutNow':
      return { ...envelope, kind: 'timeout-now' };
    case 'propose':
      return { ...envelope, kind: 'propose', commands: body.value.commands };
    case 'proposeConfiguration': {
      const target = decodeConfiguration(body.value.target);
      if (target === undefined) throw new GrpcError('invalid-argument', 'a configuration that makes no sense');
      return { ...envelope, kind: 'propose-configuration', basis: index(body.value.basis), target };
    }
    case 'readIndex':
      return { ...envelope, kind: 'read-index', context: checked(body.value.context) };
    case 'readIndexResponse':
      return { ...envelope, kind: 'read-index-response', context: checked(body.value.context), readIndex: index(body.value.readIndex) };
    case undefined:
      return undefined;
    default:
      return unreachable(body, 'message body');
  }
}

function lastEntry({ lastLogIndex, lastLogTerm }: pb.PreVote): { readonly lastLogIndex: LogIndex; readonly lastLogTerm: Term } {
  return { lastLogIndex: index(lastLogIndex), lastLogTerm: checked(lastLogTerm, term) };
}

function toEntry(entry: pb.Entry): Entry {
  const kind = kindNames[entry.kind];
  if (kind === undefined) throw new GrpcError('invalid-argument', `an entry has the kind ${entry.kind}, which this version does not know`);
  return { index: index(entry.index), term: checked(entry.term, term), kind, data: entry.data };
}

const index = (n: number): LogIndex => checked(n, logIndex);

/** Decoding saturates at the largest safe integer: a number there was larger, and no counter gets that far. */
function checked(n: number): number;
function checked<T extends Term | LogIndex>(n: number, brand: (n: number) => T): T;
function checked(n: number, brand: (n: number) => number = Number): number {
  if (n < 0 || n >= Number.MAX_SAFE_INTEGER)
    throw new GrpcError('invalid-argument', `a message has the number ${n}, which is out of bounds`);
  return brand(n);
}
