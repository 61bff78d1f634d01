// Short ways to write requests in tests; keys and values are texts.
import { fromUtf8, utf8 } from '@distrokv/base';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';

export interface RangeFields extends Partial<Omit<pb.RangeRequest, 'key' | 'rangeEnd'>> {
  readonly end?: string;
}

export function range(key: string, { end = '', ...fields }: RangeFields = {}): pb.RangeRequest {
  return pb.RangeRequest.create({ key: utf8(key), rangeEnd: utf8(end), ...fields });
}

export function put(key: string, value = '', fields: Partial<pb.PutRequest> = {}): pb.PutRequest {
  return pb.PutRequest.create({ key: utf8(key), value: utf8(value), ...fields });
}

export function del(key: string, { end = '', prevKv = false }: { end?: string; prevKv?: boolean } = {}): pb.DeleteRangeRequest {
  return pb.DeleteRangeRequest.create({ key: utf8(key), rangeEnd: utf8(end), prevKv });
}

type CompareField = 'version' | 'create' | 'mod' | 'value' | 'lease';

/** `compare('k', 'version', '=', 0)`, as etcdctl's transactions read. */
export function compare(key: string, field: CompareField, sign: '=' | '!=' | '<' | '>', given: number | string, end = ''): pb.Compare {
  const result = {
    '=': pb.CompareResult.EQUAL,
    '!=': pb.CompareResult.NOT_EQUAL,
    '<': pb.CompareResult.LESS,
    '>': pb.CompareResult.GREATER,
  }[sign];
  const base = { result, key: utf8(key), rangeEnd: utf8(end) };
  const n = Number(given);
  switch (field) {
    case 'version':
      return { ...base, target: pb.CompareTarget.VERSION, targetUnion: { case: 'version', value: n } };
    case 'create':
      return { ...base, target: pb.CompareTarget.CREATE, targetUnion: { case: 'createRevision', value: n } };
    case 'mod':
      return { ...base, target: pb.CompareTarget.MOD, targetUnion: { case: 'modRevision', value: n } };
    case 'lease':
      return { ...base, target: pb.CompareTarget.LEASE, targetUnion: { case: 'lease', value: BigInt(given) } };
    case 'value':
      return { ...base, target: pb.CompareTarget.VALUE, targetUnion: { case: 'value', value: utf8(String(given)) } };
  }
}

type Request = pb.RangeRequest | pb.PutRequest | pb.DeleteRangeRequest | pb.TxnRequest;

export function op(request: Request): pb.RequestOp {
  if ('compare' in request) return { request: { case: 'requestTxn', value: request } };
  if ('sortOrder' in request) return { request: { case: 'requestRange', value: request } };
  if ('ignoreValue' in request) return { request: { case: 'requestPut', value: request } };
  return { request: { case: 'requestDeleteRange', value: request } };
}

export function txn(compares: readonly pb.Compare[], success: readonly Request[], failure: readonly Request[] = []): pb.TxnRequest {
  return { compare: compares, success: success.map(op), failure: failure.map(op) };
}

/** "key=value@create/mod/version", as texts are easier to compare and read. */
export function show(kv: mvccpb.KeyValue): string {
  return `${fromUtf8(kv.key)}=${fromUtf8(kv.value)}@${kv.createRevision}/${kv.modRevision}/${kv.version}`;
}
