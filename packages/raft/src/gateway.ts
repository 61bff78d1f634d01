// The gateway for messages: what no correct peer would send is stopped here, before it can change anything or reach an
// assertion. What a correct peer sent long ago, or twice, is let through: the roles know what to make of it.
import { unreachable } from '@distrokv/base';
import { decodeConfiguration } from './configuration-codec.ts';
import { faultOf, isJoint } from './configuration.ts';
import type { Member } from './member.ts';
import type { AppendEntries, Message } from './messages.ts';
import type { Rejection } from './types.ts';

/** Terms grow by one with each election. A member that was away for a thousand elections a second is this far behind after a month and a half. */
const MAX_TERM_LEAP = 2 ** 32;

/** Why `message` is refused, if it is. */
export function rejectionOf(message: Message, member: Member): Rejection | undefined {
  if (message.to !== member.id) return 'wrong-recipient';
  if (message.from === member.id || message.from === 0n) return 'unknown-sender';
  if (!isNatural(message.term) || (message.term === 0 && !isBeforeTerms(message))) return 'malformed';
  if (message.term > member.term + MAX_TERM_LEAP) return 'term-leap';
  return isWellFormed(message) ? undefined : 'malformed';
}

/** In term 0 there is nobody to vote for and nobody to follow; but members ask each other whether to begin term 1. */
function isBeforeTerms({ kind }: Message): boolean {
  return kind === 'pre-vote' || kind === 'pre-vote-response';
}

function isWellFormed(message: Message): boolean {
  switch (message.kind) {
    case 'pre-vote':
      return isPosition(message.lastLogIndex, message.lastLogTerm) && message.lastLogTerm <= message.term;
    case 'pre-vote-response':
      return isNatural(message.askedInTerm) && (!message.granted || message.term <= message.askedInTerm);
    case 'request-vote':
      return isPosition(message.lastLogIndex, message.lastLogTerm) && message.lastLogTerm < message.term;
    case 'request-vote-response':
    case 'timeout-now':
      return true;
    case 'append-entries':
      return isWellFormedAppend(message);
    case 'append-entries-response':
      return (
        isNatural(message.matchIndex) &&
        isPosition(message.conflictIndex, message.conflictTerm) &&
        (message.success || message.conflictIndex < message.matchIndex || message.matchIndex === 0)
      );
    case 'heartbeat':
      return isNatural(message.leaderCommit) && isNatural(message.readRound);
    case 'heartbeat-response':
      return isNatural(message.readRound) && isNatural(message.quietMs);
    case 'propose':
      return message.commands.length > 0;
    case 'propose-configuration':
      return isNatural(message.basis) && !isJoint(message.target) && faultOf(message.target) === undefined;
    case 'read-index':
      return isNatural(message.context);
    case 'read-index-response':
      return isNatural(message.context) && isNatural(message.readIndex);
    default:
      return unreachable(message);
  }
}

/** Entries follow `prevLogIndex` one by one; their terms never decrease and never exceed the leader's; configurations make sense. */
function isWellFormedAppend({ prevLogIndex, prevLogTerm, entries, leaderCommit, term }: AppendEntries): boolean {
  if (!isPosition(prevLogIndex, prevLogTerm) || !isNatural(leaderCommit)) return false;
  if (!isNatural(prevLogIndex + entries.length)) return false;
  let [index, lastTerm] = [prevLogIndex as number, prevLogTerm as number];
  for (const entry of entries) {
    if (entry.index !== ++index || !isNatural(entry.term) || entry.term < lastTerm || entry.term === 0) return false;
    if (entry.kind === 'config' && decodeConfiguration(entry.data) === undefined) return false;
    lastTerm = entry.term;
  }
  return lastTerm <= term;
}

function isNatural(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

/** An entry's index and term: both 0 before the log, neither 0 in it. */
function isPosition(index: number, term: number): boolean {
  return isNatural(index) && isNatural(term) && (index === 0) === (term === 0);
}
