// What a judge of the API is to know of a call: who asked for what, when, and whether an answer of the model is the one that was given. Clients of
// registers and rows have their own words for it; here they are put into those of the API.
import type { etcdserverpb as pb } from '@distrokv/proto';
import type { Operated } from '../history.ts';
import { type Call, type Reply, type Response, describeReply, print } from '../api/calls.ts';
import type { AskedCall } from '../api/api-history.ts';
import { answerOf, callOf, describeAnswer } from '../workload/operations.ts';

export interface Asked {
  readonly call: Call;
  readonly startMs: number;
  readonly startOrder: number;
  readonly endMs: number;
  readonly endOrder: number;
  readonly outcome: 'answered' | 'refused' | 'unknown';
  /** Of an answer: the revision in its header; undefined for an error. */
  readonly revision: number | undefined;
  /** Of an error that was the answer. */
  readonly why: string | undefined;
  readonly said: string;
  /** What was said of the time that a lease has left. */
  readonly told: pb.LeaseTimeToLiveResponse | undefined;
  isSaid(reply: Reply): boolean;
}

export function askedOf(asked: AskedCall): Asked {
  const { call, startMs, startOrder, endMs, endOrder, outcome } = asked;
  const base = { call, startMs, startOrder, endMs, endOrder };
  if (outcome?.kind !== 'answered') return { ...base, outcome: outcome?.kind ?? 'unknown', ...NOTHING_SAID };
  const { reply } = outcome;
  const printed = print(timeless(reply));
  return {
    ...base,
    outcome: 'answered',
    revision: reply.kind === 'response' ? (reply.response.header?.revision ?? 0) : undefined,
    why: reply.kind === 'error' ? reply.why : undefined,
    said: describeReply(reply),
    told: reply.kind === 'response' && 'grantedTTL' in reply.response ? reply.response : undefined,
    isSaid: asked.isSaid ?? ((other) => print(timeless(other)) === printed),
  };
}

export function askedOfOperated({ operation, startMs, startOrder, endMs, endOrder, outcome }: Operated): Asked {
  const base = { call: callOf(operation), startMs, startOrder, endMs, endOrder };
  if (outcome?.kind !== 'answered') return { ...base, outcome: outcome?.kind ?? 'unknown', ...NOTHING_SAID };
  const { answer } = outcome;
  const said = JSON.stringify(answer);
  return {
    ...base,
    outcome: 'answered',
    revision: answer.revision,
    why: undefined,
    said: describeAnswer(answer),
    told: undefined,
    isSaid: (reply) => reply.kind === 'response' && JSON.stringify(answerOf(operation, reply.response)) === said,
  };
}

const NOTHING_SAID = { revision: undefined, why: undefined, said: 'nothing', told: undefined, isSaid: (): boolean => false };

/** Without what depends on the time at which it was said; and leases, which are told by their ends, in the order of their ids. */
function timeless(reply: Reply): Reply {
  if (reply.kind === 'error') return reply;
  const { response } = reply;
  if ('grantedTTL' in response) return { ...reply, response: { ...response, ttl: Math.min(0, response.ttl) } };
  if (!('leases' in response)) return reply;
  const leases = response.leases.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { ...reply, response: { ...response, leases } as Response };
}
