import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, logIndex, memberId, seededRandom, term, utf8 } from '@distrokv/base';
import { GrpcError } from '@distrokv/grpc';
import { ProtoError, peer as pb } from '@distrokv/proto';
import { type Message, configurationOf } from '@distrokv/raft';
import { fromPeerMessage, toPeerMessage } from './codec.ts';

const envelope = { from: memberId((1n << 64n) - 1n), to: memberId(2n), term: term(7) };
const entry = { index: logIndex(4), term: term(7), kind: 'command', data: utf8('x') } as const;
const messages: readonly Message[] = [
  { ...envelope, kind: 'request-vote', lastLogIndex: logIndex(3), lastLogTerm: term(2), byTransfer: true },
  { ...envelope, kind: 'request-vote-response', granted: true },
  {
    ...envelope,
    kind: 'append-entries',
    prevLogIndex: logIndex(3),
    prevLogTerm: term(2),
    entries: [entry, { ...entry, index: logIndex(5), kind: 'noop', data: EMPTY }],
    leaderCommit: logIndex(3),
  },
  {
    ...envelope,
    kind: 'append-entries-response',
    success: false,
    matchIndex: logIndex(9),
    conflictIndex: logIndex(8),
    conflictTerm: term(6),
  },
  { ...envelope, kind: 'heartbeat', leaderCommit: logIndex(3), readRound: 12 },
  { ...envelope, kind: 'heartbeat-response', readRound: 12, quietMs: 800 },
  { ...envelope, kind: 'propose', commands: [utf8('a'), utf8('bc')] },
  { ...envelope, kind: 'propose-configuration', basis: logIndex(3), target: configurationOf([memberId(2n), memberId(3n)], [memberId(4n)]) },
  { ...envelope, kind: 'read-index', context: 2 ** 52 },
  { ...envelope, kind: 'read-index-response', context: 1, readIndex: logIndex(5) },
  { ...envelope, kind: 'pre-vote', lastLogIndex: logIndex(3), lastLogTerm: term(2) },
  { ...envelope, kind: 'pre-vote-response', granted: true, askedInTerm: term(8) },
  { ...envelope, kind: 'timeout-now' },
];

const overTheWire = (message: Message): Message | undefined =>
  fromPeerMessage(pb.PeerMessage.decode(pb.PeerMessage.encode(toPeerMessage(message))));
for (const message of messages) {
  test(`${message.kind} survives the wire`, () => assert.deepEqual(overTheWire(message), message));
}

test('a kind of a newer version is nothing to this one; a number out of bounds is refused', () => {
  assert.equal(fromPeerMessage(pb.PeerMessage.create({ from: 1n, to: 2n, term: 1 })), undefined);
  const far = pb.PeerMessage.decode(pb.PeerMessage.encode({ ...toPeerMessage(messages[5] as Message), term: Number.MAX_SAFE_INTEGER }));
  assert.throws(() => fromPeerMessage(far), { code: 'invalid-argument' });
});

test('a message with changed bytes is refused with a typed error, or is another message', () => {
  const random = seededRandom(3);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from(pb.PeerMessage.encode(toPeerMessage(messages[random.below(messages.length)] as Message)));
    for (let n = random.below(3); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      fromPeerMessage(pb.PeerMessage.decode(bytes));
    } catch (error) {
      assert.ok(error instanceof GrpcError || error instanceof ProtoError, String(error));
    }
  }
});
