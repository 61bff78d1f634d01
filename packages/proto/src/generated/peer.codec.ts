// Generated from proto/peer.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { EMPTY, unreachable } from '@distrokv/base';
import { noItems } from '../codec.ts';
import { append, type Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type {
  AppendEntries,
  AppendEntriesResponse,
  Entry,
  Heartbeat,
  HeartbeatResponse,
  JoinRequest,
  JoinResponse,
  PeerBatch,
  PeerHello,
  PeerMessage,
  PreVote,
  PreVoteResponse,
  PromoteRequest,
  PromoteResponse,
  Propose,
  ProposeConfiguration,
  ReadIndex,
  ReadIndexResponse,
  RequestVote,
  RequestVoteResponse,
  SnapshotFile,
  SnapshotFrame,
  SnapshotOffer,
  SnapshotRequest,
  TimeoutNow,
} from './peer.ts';

export function createPeerBatch(fields: Partial<PeerBatch>): PeerBatch {
  return { messages: fields.messages ?? noItems, hello: fields.hello };
}

export function readPeerBatch(r: Reader, end: number, before: PeerBatch): PeerBatch {
  let { messages, hello } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        messages = append(messages, readPeerMessage(r, r.enter(), emptyPeerMessage));
        break;
      case 18:
        hello = readPeerHello(r, r.enter(), hello ?? emptyPeerHello);
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { messages, hello };
}

export function writePeerBatch(w: Writer, m: PeerBatch): void {
  if (m.hello !== undefined) {
    const end = w.mark();
    writePeerHello(w, m.hello);
    w.close(18, end);
  }
  for (let i = m.messages.length - 1; i >= 0; i--) {
    const end = w.mark();
    writePeerMessage(w, m.messages[i] as PeerMessage);
    w.close(10, end);
  }
}

export function createPeerHello(fields: Partial<PeerHello>): PeerHello {
  return {
    clusterId: fields.clusterId ?? 0n,
    memberId: fields.memberId ?? 0n,
    formatVersion: fields.formatVersion ?? 0,
    peerUrls: fields.peerUrls ?? noItems,
  };
}

export const emptyPeerHello: PeerHello = createPeerHello({});

export function readPeerHello(r: Reader, end: number, before: PeerHello): PeerHello {
  let { clusterId, memberId, formatVersion, peerUrls } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        clusterId = r.uint64();
        break;
      case 16:
        memberId = r.uint64();
        break;
      case 24:
        formatVersion = r.uint32();
        break;
      case 34:
        peerUrls = append(peerUrls, r.string());
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { clusterId, memberId, formatVersion, peerUrls };
}

export function writePeerHello(w: Writer, m: PeerHello): void {
  for (let i = m.peerUrls.length - 1; i >= 0; i--) {
    w.string(34, m.peerUrls[i] as string);
  }
  if (m.formatVersion !== 0) w.uint32(24, m.formatVersion);
  if (m.memberId !== 0n) w.int64(16, m.memberId);
  if (m.clusterId !== 0n) w.int64(8, m.clusterId);
}

export function createSnapshotFrame(fields: Partial<SnapshotFrame>): SnapshotFrame {
  return { offer: fields.offer, data: fields.data ?? EMPTY };
}

export function readSnapshotFrame(r: Reader, end: number, before: SnapshotFrame): SnapshotFrame {
  let { offer, data } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        offer = readSnapshotOffer(r, r.enter(), offer ?? emptySnapshotOffer);
        break;
      case 18:
        data = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { offer, data };
}

export function writeSnapshotFrame(w: Writer, m: SnapshotFrame): void {
  if (m.data.length > 0) w.bytes(18, m.data);
  if (m.offer !== undefined) {
    const end = w.mark();
    writeSnapshotOffer(w, m.offer);
    w.close(10, end);
  }
}

export function createSnapshotOffer(fields: Partial<SnapshotOffer>): SnapshotOffer {
  return { hello: fields.hello, id: fields.id ?? 0n, files: fields.files ?? noItems };
}

export const emptySnapshotOffer: SnapshotOffer = createSnapshotOffer({});

export function readSnapshotOffer(r: Reader, end: number, before: SnapshotOffer): SnapshotOffer {
  let { hello, id, files } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        hello = readPeerHello(r, r.enter(), hello ?? emptyPeerHello);
        break;
      case 16:
        id = r.uint64();
        break;
      case 26:
        files = append(files, readSnapshotFile(r, r.enter(), emptySnapshotFile));
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { hello, id, files };
}

export function writeSnapshotOffer(w: Writer, m: SnapshotOffer): void {
  for (let i = m.files.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeSnapshotFile(w, m.files[i] as SnapshotFile);
    w.close(26, end);
  }
  if (m.id !== 0n) w.int64(16, m.id);
  if (m.hello !== undefined) {
    const end = w.mark();
    writePeerHello(w, m.hello);
    w.close(10, end);
  }
}

export function createSnapshotFile(fields: Partial<SnapshotFile>): SnapshotFile {
  return { name: fields.name ?? '', bytes: fields.bytes ?? 0 };
}

export const emptySnapshotFile: SnapshotFile = createSnapshotFile({});

export function readSnapshotFile(r: Reader, end: number, before: SnapshotFile): SnapshotFile {
  let { name, bytes } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      case 16:
        bytes = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { name, bytes };
}

export function writeSnapshotFile(w: Writer, m: SnapshotFile): void {
  if (m.bytes !== 0) w.int64Number(16, m.bytes);
  if (m.name !== '') w.string(10, m.name);
}

export function createSnapshotRequest(fields: Partial<SnapshotRequest>): SnapshotRequest {
  return {
    file: fields.file ?? 0,
    offset: fields.offset ?? 0,
    length: fields.length ?? 0,
    done: fields.done ?? false,
    index: fields.index ?? 0,
  };
}

export function readSnapshotRequest(r: Reader, end: number, before: SnapshotRequest): SnapshotRequest {
  let { file, offset, length, done, index } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        file = r.uint32();
        break;
      case 16:
        offset = r.uint64Number();
        break;
      case 24:
        length = r.uint32();
        break;
      case 32:
        done = r.bool();
        break;
      case 40:
        index = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5]);
    }
  }
  r.leave(end);
  return { file, offset, length, done, index };
}

export function writeSnapshotRequest(w: Writer, m: SnapshotRequest): void {
  if (m.index !== 0) w.int64Number(40, m.index);
  if (m.done) w.bool(32, m.done);
  if (m.length !== 0) w.uint32(24, m.length);
  if (m.offset !== 0) w.int64Number(16, m.offset);
  if (m.file !== 0) w.uint32(8, m.file);
}

export function createJoinRequest(fields: Partial<JoinRequest>): JoinRequest {
  return { peerUrls: fields.peerUrls ?? noItems, replace: fields.replace ?? false };
}

export function readJoinRequest(r: Reader, end: number, before: JoinRequest): JoinRequest {
  let { peerUrls, replace } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        peerUrls = append(peerUrls, r.string());
        break;
      case 16:
        replace = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { peerUrls, replace };
}

export function writeJoinRequest(w: Writer, m: JoinRequest): void {
  if (m.replace) w.bool(16, m.replace);
  for (let i = m.peerUrls.length - 1; i >= 0; i--) {
    w.string(10, m.peerUrls[i] as string);
  }
}

export function createJoinResponse(fields: Partial<JoinResponse>): JoinResponse {
  return { clusterId: fields.clusterId ?? 0n, memberId: fields.memberId ?? 0n };
}

export function readJoinResponse(r: Reader, end: number, before: JoinResponse): JoinResponse {
  let { clusterId, memberId } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        clusterId = r.uint64();
        break;
      case 16:
        memberId = r.uint64();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { clusterId, memberId };
}

export function writeJoinResponse(w: Writer, m: JoinResponse): void {
  if (m.memberId !== 0n) w.int64(16, m.memberId);
  if (m.clusterId !== 0n) w.int64(8, m.clusterId);
}

export function createPromoteRequest(fields: Partial<PromoteRequest>): PromoteRequest {
  return { memberId: fields.memberId ?? 0n };
}

export function readPromoteRequest(r: Reader, end: number, before: PromoteRequest): PromoteRequest {
  let { memberId } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        memberId = r.uint64();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { memberId };
}

export function writePromoteRequest(w: Writer, m: PromoteRequest): void {
  if (m.memberId !== 0n) w.int64(8, m.memberId);
}

export function createPromoteResponse(_fields: Partial<PromoteResponse>): PromoteResponse {
  return {};
}

export function readPromoteResponse(r: Reader, end: number, _before: PromoteResponse): PromoteResponse {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writePromoteResponse(_w: Writer, _m: PromoteResponse): void {}

export function createPeerMessage(fields: Partial<PeerMessage>): PeerMessage {
  return { from: fields.from ?? 0n, to: fields.to ?? 0n, term: fields.term ?? 0, body: fields.body };
}

export const emptyPeerMessage: PeerMessage = createPeerMessage({});

export function readPeerMessage(r: Reader, end: number, before: PeerMessage): PeerMessage {
  let { from, to, term, body } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        from = r.uint64();
        break;
      case 16:
        to = r.uint64();
        break;
      case 24:
        term = r.uint64Number();
        break;
      case 34:
        body = { case: 'requestVote', value: readRequestVote(r, r.enter(), body?.case === 'requestVote' ? body.value : emptyRequestVote) };
        break;
      case 42:
        body = {
          case: 'requestVoteResponse',
          value: readRequestVoteResponse(r, r.enter(), body?.case === 'requestVoteResponse' ? body.value : emptyRequestVoteResponse),
        };
        break;
      case 50:
        body = {
          case: 'appendEntries',
          value: readAppendEntries(r, r.enter(), body?.case === 'appendEntries' ? body.value : emptyAppendEntries),
        };
        break;
      case 58:
        body = {
          case: 'appendEntriesResponse',
          value: readAppendEntriesResponse(r, r.enter(), body?.case === 'appendEntriesResponse' ? body.value : emptyAppendEntriesResponse),
        };
        break;
      case 66:
        body = { case: 'heartbeat', value: readHeartbeat(r, r.enter(), body?.case === 'heartbeat' ? body.value : emptyHeartbeat) };
        break;
      case 74:
        body = {
          case: 'heartbeatResponse',
          value: readHeartbeatResponse(r, r.enter(), body?.case === 'heartbeatResponse' ? body.value : emptyHeartbeatResponse),
        };
        break;
      case 82:
        body = { case: 'propose', value: readPropose(r, r.enter(), body?.case === 'propose' ? body.value : emptyPropose) };
        break;
      case 90:
        body = { case: 'readIndex', value: readReadIndex(r, r.enter(), body?.case === 'readIndex' ? body.value : emptyReadIndex) };
        break;
      case 98:
        body = {
          case: 'readIndexResponse',
          value: readReadIndexResponse(r, r.enter(), body?.case === 'readIndexResponse' ? body.value : emptyReadIndexResponse),
        };
        break;
      case 106:
        body = { case: 'preVote', value: readPreVote(r, r.enter(), body?.case === 'preVote' ? body.value : emptyPreVote) };
        break;
      case 114:
        body = {
          case: 'preVoteResponse',
          value: readPreVoteResponse(r, r.enter(), body?.case === 'preVoteResponse' ? body.value : emptyPreVoteResponse),
        };
        break;
      case 122:
        body = { case: 'timeoutNow', value: readTimeoutNow(r, r.enter(), body?.case === 'timeoutNow' ? body.value : emptyTimeoutNow) };
        break;
      case 130:
        body = {
          case: 'proposeConfiguration',
          value: readProposeConfiguration(r, r.enter(), body?.case === 'proposeConfiguration' ? body.value : emptyProposeConfiguration),
        };
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    }
  }
  r.leave(end);
  return { from, to, term, body };
}

export function writePeerMessage(w: Writer, m: PeerMessage): void {
  if (m.body !== undefined) {
    switch (m.body.case) {
      case 'requestVote': {
        const end = w.mark();
        writeRequestVote(w, m.body.value);
        w.close(34, end);
        break;
      }
      case 'requestVoteResponse': {
        const end = w.mark();
        writeRequestVoteResponse(w, m.body.value);
        w.close(42, end);
        break;
      }
      case 'appendEntries': {
        const end = w.mark();
        writeAppendEntries(w, m.body.value);
        w.close(50, end);
        break;
      }
      case 'appendEntriesResponse': {
        const end = w.mark();
        writeAppendEntriesResponse(w, m.body.value);
        w.close(58, end);
        break;
      }
      case 'heartbeat': {
        const end = w.mark();
        writeHeartbeat(w, m.body.value);
        w.close(66, end);
        break;
      }
      case 'heartbeatResponse': {
        const end = w.mark();
        writeHeartbeatResponse(w, m.body.value);
        w.close(74, end);
        break;
      }
      case 'propose': {
        const end = w.mark();
        writePropose(w, m.body.value);
        w.close(82, end);
        break;
      }
      case 'readIndex': {
        const end = w.mark();
        writeReadIndex(w, m.body.value);
        w.close(90, end);
        break;
      }
      case 'readIndexResponse': {
        const end = w.mark();
        writeReadIndexResponse(w, m.body.value);
        w.close(98, end);
        break;
      }
      case 'preVote': {
        const end = w.mark();
        writePreVote(w, m.body.value);
        w.close(106, end);
        break;
      }
      case 'preVoteResponse': {
        const end = w.mark();
        writePreVoteResponse(w, m.body.value);
        w.close(114, end);
        break;
      }
      case 'timeoutNow': {
        const end = w.mark();
        writeTimeoutNow(w, m.body.value);
        w.close(122, end);
        break;
      }
      case 'proposeConfiguration': {
        const end = w.mark();
        writeProposeConfiguration(w, m.body.value);
        w.close(130, end);
        break;
      }
      default:
        unreachable(m.body);
    }
  }
  if (m.term !== 0) w.int64Number(24, m.term);
  if (m.to !== 0n) w.int64(16, m.to);
  if (m.from !== 0n) w.int64(8, m.from);
}

export function createEntry(fields: Partial<Entry>): Entry {
  return { index: fields.index ?? 0, term: fields.term ?? 0, kind: fields.kind ?? 0, data: fields.data ?? EMPTY };
}

export const emptyEntry: Entry = createEntry({});

export function readEntry(r: Reader, end: number, before: Entry): Entry {
  let { index, term, kind, data } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        index = r.uint64Number();
        break;
      case 16:
        term = r.uint64Number();
        break;
      case 24:
        kind = r.int32();
        break;
      case 34:
        data = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { index, term, kind, data };
}

export function writeEntry(w: Writer, m: Entry): void {
  if (m.data.length > 0) w.bytes(34, m.data);
  if (m.kind !== 0) w.int32(24, m.kind);
  if (m.term !== 0) w.int64Number(16, m.term);
  if (m.index !== 0) w.int64Number(8, m.index);
}

export function createRequestVote(fields: Partial<RequestVote>): RequestVote {
  return { lastLogIndex: fields.lastLogIndex ?? 0, lastLogTerm: fields.lastLogTerm ?? 0, byTransfer: fields.byTransfer ?? false };
}

export const emptyRequestVote: RequestVote = createRequestVote({});

export function readRequestVote(r: Reader, end: number, before: RequestVote): RequestVote {
  let { lastLogIndex, lastLogTerm, byTransfer } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        lastLogIndex = r.uint64Number();
        break;
      case 16:
        lastLogTerm = r.uint64Number();
        break;
      case 24:
        byTransfer = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { lastLogIndex, lastLogTerm, byTransfer };
}

export function writeRequestVote(w: Writer, m: RequestVote): void {
  if (m.byTransfer) w.bool(24, m.byTransfer);
  if (m.lastLogTerm !== 0) w.int64Number(16, m.lastLogTerm);
  if (m.lastLogIndex !== 0) w.int64Number(8, m.lastLogIndex);
}

export function createRequestVoteResponse(fields: Partial<RequestVoteResponse>): RequestVoteResponse {
  return { granted: fields.granted ?? false };
}

export const emptyRequestVoteResponse: RequestVoteResponse = createRequestVoteResponse({});

export function readRequestVoteResponse(r: Reader, end: number, before: RequestVoteResponse): RequestVoteResponse {
  let { granted } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        granted = r.bool();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { granted };
}

export function writeRequestVoteResponse(w: Writer, m: RequestVoteResponse): void {
  if (m.granted) w.bool(8, m.granted);
}

export function createPreVote(fields: Partial<PreVote>): PreVote {
  return { lastLogIndex: fields.lastLogIndex ?? 0, lastLogTerm: fields.lastLogTerm ?? 0 };
}

export const emptyPreVote: PreVote = createPreVote({});

export function readPreVote(r: Reader, end: number, before: PreVote): PreVote {
  let { lastLogIndex, lastLogTerm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        lastLogIndex = r.uint64Number();
        break;
      case 16:
        lastLogTerm = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { lastLogIndex, lastLogTerm };
}

export function writePreVote(w: Writer, m: PreVote): void {
  if (m.lastLogTerm !== 0) w.int64Number(16, m.lastLogTerm);
  if (m.lastLogIndex !== 0) w.int64Number(8, m.lastLogIndex);
}

export function createPreVoteResponse(fields: Partial<PreVoteResponse>): PreVoteResponse {
  return { granted: fields.granted ?? false, askedInTerm: fields.askedInTerm ?? 0 };
}

export const emptyPreVoteResponse: PreVoteResponse = createPreVoteResponse({});

export function readPreVoteResponse(r: Reader, end: number, before: PreVoteResponse): PreVoteResponse {
  let { granted, askedInTerm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        granted = r.bool();
        break;
      case 16:
        askedInTerm = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { granted, askedInTerm };
}

export function writePreVoteResponse(w: Writer, m: PreVoteResponse): void {
  if (m.askedInTerm !== 0) w.int64Number(16, m.askedInTerm);
  if (m.granted) w.bool(8, m.granted);
}

export function createAppendEntries(fields: Partial<AppendEntries>): AppendEntries {
  return {
    prevLogIndex: fields.prevLogIndex ?? 0,
    prevLogTerm: fields.prevLogTerm ?? 0,
    entries: fields.entries ?? noItems,
    leaderCommit: fields.leaderCommit ?? 0,
  };
}

export const emptyAppendEntries: AppendEntries = createAppendEntries({});

export function readAppendEntries(r: Reader, end: number, before: AppendEntries): AppendEntries {
  let { prevLogIndex, prevLogTerm, entries, leaderCommit } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        prevLogIndex = r.uint64Number();
        break;
      case 16:
        prevLogTerm = r.uint64Number();
        break;
      case 26:
        entries = append(entries, readEntry(r, r.enter(), emptyEntry));
        break;
      case 32:
        leaderCommit = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { prevLogIndex, prevLogTerm, entries, leaderCommit };
}

export function writeAppendEntries(w: Writer, m: AppendEntries): void {
  if (m.leaderCommit !== 0) w.int64Number(32, m.leaderCommit);
  for (let i = m.entries.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeEntry(w, m.entries[i] as Entry);
    w.close(26, end);
  }
  if (m.prevLogTerm !== 0) w.int64Number(16, m.prevLogTerm);
  if (m.prevLogIndex !== 0) w.int64Number(8, m.prevLogIndex);
}

export function createAppendEntriesResponse(fields: Partial<AppendEntriesResponse>): AppendEntriesResponse {
  return {
    success: fields.success ?? false,
    matchIndex: fields.matchIndex ?? 0,
    conflictIndex: fields.conflictIndex ?? 0,
    conflictTerm: fields.conflictTerm ?? 0,
  };
}

export const emptyAppendEntriesResponse: AppendEntriesResponse = createAppendEntriesResponse({});

export function readAppendEntriesResponse(r: Reader, end: number, before: AppendEntriesResponse): AppendEntriesResponse {
  let { success, matchIndex, conflictIndex, conflictTerm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        success = r.bool();
        break;
      case 16:
        matchIndex = r.uint64Number();
        break;
      case 24:
        conflictIndex = r.uint64Number();
        break;
      case 32:
        conflictTerm = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { success, matchIndex, conflictIndex, conflictTerm };
}

export function writeAppendEntriesResponse(w: Writer, m: AppendEntriesResponse): void {
  if (m.conflictTerm !== 0) w.int64Number(32, m.conflictTerm);
  if (m.conflictIndex !== 0) w.int64Number(24, m.conflictIndex);
  if (m.matchIndex !== 0) w.int64Number(16, m.matchIndex);
  if (m.success) w.bool(8, m.success);
}

export function createHeartbeat(fields: Partial<Heartbeat>): Heartbeat {
  return { leaderCommit: fields.leaderCommit ?? 0, readRound: fields.readRound ?? 0 };
}

export const emptyHeartbeat: Heartbeat = createHeartbeat({});

export function readHeartbeat(r: Reader, end: number, before: Heartbeat): Heartbeat {
  let { leaderCommit, readRound } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        leaderCommit = r.uint64Number();
        break;
      case 16:
        readRound = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { leaderCommit, readRound };
}

export function writeHeartbeat(w: Writer, m: Heartbeat): void {
  if (m.readRound !== 0) w.int64Number(16, m.readRound);
  if (m.leaderCommit !== 0) w.int64Number(8, m.leaderCommit);
}

export function createHeartbeatResponse(fields: Partial<HeartbeatResponse>): HeartbeatResponse {
  return { readRound: fields.readRound ?? 0, quietMs: fields.quietMs ?? 0 };
}

export const emptyHeartbeatResponse: HeartbeatResponse = createHeartbeatResponse({});

export function readHeartbeatResponse(r: Reader, end: number, before: HeartbeatResponse): HeartbeatResponse {
  let { readRound, quietMs } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        readRound = r.uint64Number();
        break;
      case 16:
        quietMs = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { readRound, quietMs };
}

export function writeHeartbeatResponse(w: Writer, m: HeartbeatResponse): void {
  if (m.quietMs !== 0) w.int64Number(16, m.quietMs);
  if (m.readRound !== 0) w.int64Number(8, m.readRound);
}

export function createTimeoutNow(_fields: Partial<TimeoutNow>): TimeoutNow {
  return {};
}

export const emptyTimeoutNow: TimeoutNow = createTimeoutNow({});

export function readTimeoutNow(r: Reader, end: number, _before: TimeoutNow): TimeoutNow {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeTimeoutNow(_w: Writer, _m: TimeoutNow): void {}

export function createPropose(fields: Partial<Propose>): Propose {
  return { commands: fields.commands ?? noItems };
}

export const emptyPropose: Propose = createPropose({});

export function readPropose(r: Reader, end: number, before: Propose): Propose {
  let { commands } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        commands = append(commands, r.bytes());
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { commands };
}

export function writePropose(w: Writer, m: Propose): void {
  for (let i = m.commands.length - 1; i >= 0; i--) {
    w.bytes(10, m.commands[i] as Uint8Array);
  }
}

export function createProposeConfiguration(fields: Partial<ProposeConfiguration>): ProposeConfiguration {
  return { basis: fields.basis ?? 0, target: fields.target ?? EMPTY };
}

export const emptyProposeConfiguration: ProposeConfiguration = createProposeConfiguration({});

export function readProposeConfiguration(r: Reader, end: number, before: ProposeConfiguration): ProposeConfiguration {
  let { basis, target } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        basis = r.uint64Number();
        break;
      case 18:
        target = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { basis, target };
}

export function writeProposeConfiguration(w: Writer, m: ProposeConfiguration): void {
  if (m.target.length > 0) w.bytes(18, m.target);
  if (m.basis !== 0) w.int64Number(8, m.basis);
}

export function createReadIndex(fields: Partial<ReadIndex>): ReadIndex {
  return { context: fields.context ?? 0 };
}

export const emptyReadIndex: ReadIndex = createReadIndex({});

export function readReadIndex(r: Reader, end: number, before: ReadIndex): ReadIndex {
  let { context } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        context = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { context };
}

export function writeReadIndex(w: Writer, m: ReadIndex): void {
  if (m.context !== 0) w.int64Number(8, m.context);
}

export function createReadIndexResponse(fields: Partial<ReadIndexResponse>): ReadIndexResponse {
  return { context: fields.context ?? 0, readIndex: fields.readIndex ?? 0 };
}

export const emptyReadIndexResponse: ReadIndexResponse = createReadIndexResponse({});

export function readReadIndexResponse(r: Reader, end: number, before: ReadIndexResponse): ReadIndexResponse {
  let { context, readIndex } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        context = r.uint64Number();
        break;
      case 16:
        readIndex = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { context, readIndex };
}

export function writeReadIndexResponse(w: Writer, m: ReadIndexResponse): void {
  if (m.readIndex !== 0) w.int64Number(16, m.readIndex);
  if (m.context !== 0) w.int64Number(8, m.context);
}
