// What clients ask and are told, in the simulator's own words: the judges know nothing of protobuf, and nothing of the store.
import { fromUtf8, utf8 } from '@distrokv/base';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import type { Call, Response } from '../api/calls.ts';

/** One request, or one part of a transaction. Keys and values are texts. */
export type Step =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly wantsPrevious: boolean }
  /** From `key` to before `end`; without `end`, the key alone. `limit` 0: all. */
  | { readonly kind: 'range'; readonly key: string; readonly end: string | undefined; readonly limit: number }
  | { readonly kind: 'delete'; readonly key: string; readonly end: string | undefined; readonly wantsPrevious: boolean };

/** Holds when the key has this value; undefined: when it does not exist. */
export interface Guard {
  readonly key: string;
  readonly value: string | undefined;
}

export type Operation =
  | { readonly kind: 'step'; readonly step: Step; readonly serializable: boolean }
  | { readonly kind: 'txn'; readonly guards: readonly Guard[]; readonly success: readonly Step[]; readonly failure: readonly Step[] };

export interface KeyState {
  readonly key: string;
  readonly value: string;
  readonly created: number;
  readonly modified: number;
  readonly version: number;
}

export type StepAnswer =
  | { readonly kind: 'put'; readonly previous: KeyState | undefined }
  | { readonly kind: 'range'; readonly keys: readonly KeyState[]; readonly count: number; readonly more: boolean }
  | { readonly kind: 'delete'; readonly deleted: number; readonly previous: readonly KeyState[] };

export interface Answer {
  /** The store's revision as the header has it. */
  readonly revision: number;
  /** Whether the guards held; true for a single step. */
  readonly succeeded: boolean;
  readonly steps: readonly StepAnswer[];
}

export const isReadOnly = (operation: Operation): boolean =>
  operation.kind === 'step'
    ? operation.step.kind === 'range'
    : [...operation.success, ...operation.failure].every((step) => step.kind === 'range');

// --- To the API and back. ---

/** `revision`: of a range, as of when; 0 for now. */
export function callOf(operation: Operation, revision = 0): Call {
  if (operation.kind === 'txn') return { kind: 'txn', request: txnRequest(operation) };
  const { step, serializable } = operation;
  if (step.kind === 'put') return { kind: 'put', request: putRequest(step) };
  if (step.kind === 'range') return { kind: 'range', request: rangeRequest(step, serializable, revision) };
  return { kind: 'delete-range', request: deleteRequest(step) };
}

export function answerOf(operation: Operation, response: Response): Answer {
  const revision = response.header?.revision ?? 0;
  if (operation.kind === 'txn') {
    const { succeeded, responses } = response as pb.TxnResponse;
    return { revision, succeeded, steps: responses.map(stepAnswerOf) };
  }
  const { kind } = operation.step;
  if (kind === 'put') return { revision, succeeded: true, steps: [putAnswer(response as pb.PutResponse)] };
  if (kind === 'range') return { revision, succeeded: true, steps: [rangeAnswer(response as pb.RangeResponse)] };
  return { revision, succeeded: true, steps: [deleteAnswer(response as pb.DeleteRangeResponse)] };
}

function putRequest(step: Step & { kind: 'put' }): pb.PutRequest {
  return pb.PutRequest.create({ key: utf8(step.key), value: utf8(step.value), prevKv: step.wantsPrevious });
}

function rangeRequest(step: Step & { kind: 'range' }, serializable = false, revision = 0): pb.RangeRequest {
  return pb.RangeRequest.create({ key: utf8(step.key), rangeEnd: utf8(step.end ?? ''), limit: step.limit, serializable, revision });
}

function deleteRequest(step: Step & { kind: 'delete' }): pb.DeleteRangeRequest {
  return pb.DeleteRangeRequest.create({ key: utf8(step.key), rangeEnd: utf8(step.end ?? ''), prevKv: step.wantsPrevious });
}

function txnRequest(txn: Operation & { kind: 'txn' }): pb.TxnRequest {
  return pb.TxnRequest.create({
    compare: txn.guards.map(compareOf),
    success: txn.success.map(requestOp),
    failure: txn.failure.map(requestOp),
  });
}

function compareOf({ key, value }: Guard): pb.Compare {
  const isAbsent = value === undefined;
  return pb.Compare.create({
    key: utf8(key),
    result: pb.CompareResult.EQUAL,
    target: isAbsent ? pb.CompareTarget.VERSION : pb.CompareTarget.VALUE,
    targetUnion: isAbsent ? { case: 'version', value: 0 } : { case: 'value', value: utf8(value) },
  });
}

function requestOp(step: Step): pb.RequestOp {
  if (step.kind === 'put') return pb.RequestOp.create({ request: { case: 'requestPut', value: putRequest(step) } });
  if (step.kind === 'range') return pb.RequestOp.create({ request: { case: 'requestRange', value: rangeRequest(step) } });
  return pb.RequestOp.create({ request: { case: 'requestDeleteRange', value: deleteRequest(step) } });
}

function putAnswer({ prevKv }: pb.PutResponse): StepAnswer {
  return { kind: 'put', previous: prevKv && keyState(prevKv) };
}

function rangeAnswer({ kvs, count, more }: pb.RangeResponse): StepAnswer {
  return { kind: 'range', keys: kvs.map(keyState), count, more };
}

function deleteAnswer({ deleted, prevKvs }: pb.DeleteRangeResponse): StepAnswer {
  return { kind: 'delete', deleted, previous: prevKvs.map(keyState) };
}

function stepAnswerOf({ response }: pb.ResponseOp): StepAnswer {
  if (response?.case === 'responsePut') return putAnswer(response.value);
  if (response?.case === 'responseRange') return rangeAnswer(response.value);
  if (response?.case === 'responseDeleteRange') return deleteAnswer(response.value);
  throw new Error(`a transaction answered with ${response?.case ?? 'nothing'}`);
}

function keyState(kv: mvccpb.KeyValue): KeyState {
  return { key: fromUtf8(kv.key), value: fromUtf8(kv.value), created: kv.createRevision, modified: kv.modRevision, version: kv.version };
}

/** Values are made longer with a filler that nobody wants to read. */
export const FILLER = '·';

const short = (value: string): string => value.replaceAll(FILLER, '');

export function describeOperation(operation: Operation): string {
  if (operation.kind === 'step') return `${describeStep(operation.step)}${operation.serializable ? ' (serializable)' : ''}`;
  const guards = operation.guards.map(({ key, value }) => `${key} = ${short(value ?? '∅')}`).join(' ∧ ');
  return `if ${guards === '' ? 'true' : guards}: ${operation.success.map(describeStep).join('; ')} else: ${operation.failure.map(describeStep).join('; ')}`;
}

function describeStep(step: Step): string {
  if (step.kind === 'put') return `put ${step.key} = ${short(step.value)}`;
  const keys = step.end === undefined ? step.key : `[${step.key}, ${step.end})`;
  return step.kind === 'range' ? `get ${keys}${step.limit > 0 ? ` limit ${step.limit}` : ''}` : `delete ${keys}`;
}

export function describeAnswer(answer: Answer): string {
  const steps = answer.steps.map((step) => {
    if (step.kind === 'put') return step.previous ? `was ${short(step.previous.value)}` : 'ok';
    if (step.kind === 'delete') return `deleted ${step.deleted}`;
    return step.keys.length === 0 ? '∅' : step.keys.map((k) => `${k.key}=${short(k.value)}@${k.modified}`).join(' ');
  });
  return `r${answer.revision}${answer.succeeded ? '' : ' (guards failed)'} ${steps.join('; ')}`;
}
