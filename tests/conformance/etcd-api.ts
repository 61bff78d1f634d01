// The etcd API as a conformance case calls it: texts for keys and values, any endpoint, one prefix for each case.
import { fromUtf8, utf8 } from '@distrokv/base';
import { type Channel, type ClientStream, createChannel } from '@distrokv/grpc';
import { type Method, etcdserverpb as pb, type mvccpb, v3electionpb, v3lockpb } from '@distrokv/proto';

/** Longer than anything takes that is not broken, on a machine that is busy. */
const PATIENCE_MS = 60_000;

export interface RangeFields extends Partial<Omit<pb.RangeRequest, 'key' | 'rangeEnd'>> {
  /** Literal: '' for the one key, '\0' for all from the key on. */
  readonly end?: string;
}

export type Op = NonNullable<pb.RequestOp['request']>;

export class EtcdApi implements Disposable {
  readonly channel: Channel;
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.channel = createChannel(endpoint);
  }

  /** The same server on a connection of its own: what is not read there holds nothing else up. */
  apart(): EtcdApi {
    return new EtcdApi(this.#endpoint);
  }

  [Symbol.dispose](): void {
    this.channel.close();
  }

  call<Q, A>(method: Method<Q, A, 'unary'>, request: Q, metadata?: Readonly<Record<string, string>>): Promise<A> {
    return this.channel.unary(method, request, { timeoutMs: PATIENCE_MS, ...(metadata && { metadata }) });
  }

  put(key: string, value = '', fields: Partial<pb.PutRequest> = {}): Promise<pb.PutResponse> {
    return this.call(pb.KV.methods.put, putRequest(key, value, fields));
  }

  range(key: string, fields: RangeFields = {}): Promise<pb.RangeResponse> {
    return this.call(pb.KV.methods.range, rangeRequest(key, fields));
  }

  /** All keys that begin with a prefix, as "key=value". */
  async list(prefix: string, fields: RangeFields = {}): Promise<string[]> {
    const { kvs } = await this.range(prefix, { end: endOf(prefix), ...fields });
    return kvs.map(showKv);
  }

  del(key: string, end = '', prevKv = false): Promise<pb.DeleteRangeResponse> {
    return this.call(pb.KV.methods.deleteRange, pb.DeleteRangeRequest.create({ key: utf8(key), rangeEnd: utf8(end), prevKv }));
  }

  txn(compare: readonly pb.Compare[], success: readonly Op[], failure: readonly Op[] = []): Promise<pb.TxnResponse> {
    return this.call(pb.KV.methods.txn, txnRequest(compare, success, failure));
  }

  /** All chunks of a range, in order. */
  async rangeStream(key: string, fields: RangeFields = {}): Promise<pb.RangeResponse[]> {
    const stream = this.channel.stream(pb.KV.methods.rangeStream);
    stream.send(rangeRequest(key, fields));
    stream.finish();
    const chunks: pb.RangeResponse[] = [];
    for await (const { rangeResponse } of stream.responses) if (rangeResponse) chunks.push(rangeResponse);
    return chunks;
  }

  compact(revision: number, physical = false): Promise<pb.CompactionResponse> {
    return this.call(pb.KV.methods.compact, { revision, physical });
  }

  /** The store's revision now. */
  async revision(): Promise<number> {
    return (await this.range('\0')).header?.revision ?? 0;
  }

  grant(ttl: number, id = 0n): Promise<pb.LeaseGrantResponse> {
    return this.call(pb.Lease.methods.leaseGrant, { ttl, id });
  }

  revoke(id: bigint): Promise<pb.LeaseRevokeResponse> {
    return this.call(pb.Lease.methods.leaseRevoke, { id });
  }

  timeToLive(id: bigint, keys = false): Promise<pb.LeaseTimeToLiveResponse> {
    return this.call(pb.Lease.methods.leaseTimeToLive, { id, keys });
  }

  watch(metadata: Readonly<Record<string, string>> = {}): Watching {
    return new Watching(this.channel.stream(pb.Watch.methods.watch, { metadata }));
  }

  keepAlive(): KeepAlive {
    return new KeepAlive(this.channel.stream(pb.Lease.methods.leaseKeepAlive));
  }

  lock(name: string, lease: bigint): Promise<v3lockpb.LockResponse> {
    return this.call(v3lockpb.Lock.methods.lock, { name: utf8(name), lease });
  }

  unlock(key: Uint8Array): Promise<v3lockpb.UnlockResponse> {
    return this.call(v3lockpb.Lock.methods.unlock, { key });
  }

  campaign(name: string, lease: bigint, value: string): Promise<v3electionpb.CampaignResponse> {
    return this.call(v3electionpb.Election.methods.campaign, { name: utf8(name), lease, value: utf8(value) });
  }
}

/** A stream whose answers are asked for one by one. */
class Talk<Q, A> implements Disposable {
  protected readonly stream: ClientStream<Q, A>;
  readonly #answers: AsyncIterator<A>;

  constructor(stream: ClientStream<Q, A>) {
    this.stream = stream;
    this.#answers = stream.responses[Symbol.asyncIterator]();
  }

  /** The next answer; rejects with the status that ends the stream, or when there is none for very long. */
  async next(): Promise<A> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer on the stream')), PATIENCE_MS);
    });
    try {
      const answer = await Promise.race([this.#answers.next(), late]);
      if (answer.done === true) throw new Error('the stream ended');
      return answer.value;
    } finally {
      clearTimeout(timer);
    }
  }

  finish(): void {
    this.stream.finish();
  }

  [Symbol.dispose](): void {
    this.stream.cancel();
  }
}

export interface WatchFields extends Partial<Omit<pb.WatchCreateRequest, 'key' | 'rangeEnd'>> {
  readonly end?: string;
}

export class Watching extends Talk<pb.WatchRequest, pb.WatchResponse> {
  /** Asks for a watcher, without waiting for the answer. */
  ask(key: string, { end = '', ...fields }: WatchFields = {}): void {
    const value = pb.WatchCreateRequest.create({ key: utf8(key), rangeEnd: utf8(end), ...fields });
    this.stream.send({ requestUnion: { case: 'createRequest', value } });
  }

  /** Asks for a watcher, and takes the answer. */
  create(key: string, fields: WatchFields = {}): Promise<pb.WatchResponse> {
    this.ask(key, fields);
    return this.next();
  }

  cancel(watchId: number): void {
    this.stream.send({ requestUnion: { case: 'cancelRequest', value: { watchId } } });
  }

  /** A request without content. */
  nothing(): void {
    this.stream.send({ requestUnion: undefined });
  }

  progress(): void {
    this.stream.send({ requestUnion: { case: 'progressRequest', value: {} } });
  }

  /** The next `count` events at least, from as many responses as it takes. */
  async events(count: number): Promise<mvccpb.Event[]> {
    const events: mvccpb.Event[] = [];
    while (events.length < count) events.push(...(await this.next()).events);
    return events;
  }
}

export class KeepAlive extends Talk<pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse> {
  renew(id: bigint): Promise<pb.LeaseKeepAliveResponse> {
    this.stream.send({ id });
    return this.next();
  }
}

export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

export function rangeRequest(key: string, { end = '', ...fields }: RangeFields = {}): pb.RangeRequest {
  return pb.RangeRequest.create({ key: utf8(key), rangeEnd: utf8(end), ...fields });
}

function putRequest(key: string, value: string, fields: Partial<pb.PutRequest>): pb.PutRequest {
  return pb.PutRequest.create({ key: utf8(key), value: utf8(value), ...fields });
}

export function txnRequest(compare: readonly pb.Compare[], success: readonly Op[], failure: readonly Op[] = []): pb.TxnRequest {
  const ops = (list: readonly Op[]): pb.RequestOp[] => list.map((request) => ({ request }));
  return { compare, success: ops(success), failure: ops(failure) };
}

interface Ops {
  put(key: string, value?: string, fields?: Partial<pb.PutRequest>): Op;
  get(key: string, fields?: RangeFields): Op;
  del(key: string, end?: string): Op;
  txn(compare: readonly pb.Compare[], success: readonly Op[], failure?: readonly Op[]): Op;
}

export const op: Ops = {
  put: (key, value = '', fields = {}) => ({ case: 'requestPut', value: putRequest(key, value, fields) }),
  get: (key, fields = {}) => ({ case: 'requestRange', value: rangeRequest(key, fields) }),
  del: (key, end = '') => ({ case: 'requestDeleteRange', value: pb.DeleteRangeRequest.create({ key: utf8(key), rangeEnd: utf8(end) }) }),
  txn: (compare, success, failure = []) => ({ case: 'requestTxn', value: txnRequest(compare, success, failure) }),
};

type Sign = '=' | '!=' | '<' | '>';

const signs: Readonly<Record<Sign, pb.CompareResult>> = {
  '=': pb.CompareResult.EQUAL,
  '!=': pb.CompareResult.NOT_EQUAL,
  '<': pb.CompareResult.LESS,
  '>': pb.CompareResult.GREATER,
};

/** `when('k', 'version', '=', 0)`. */
export function when(
  key: string,
  target: 'version' | 'create' | 'mod' | 'value' | 'lease',
  sign: Sign,
  given: number | string | bigint,
  end = '',
): pb.Compare {
  const base = { result: signs[sign], key: utf8(key), rangeEnd: utf8(end) };
  switch (target) {
    case 'version':
      return { ...base, target: pb.CompareTarget.VERSION, targetUnion: { case: 'version', value: Number(given) } };
    case 'create':
      return { ...base, target: pb.CompareTarget.CREATE, targetUnion: { case: 'createRevision', value: Number(given) } };
    case 'mod':
      return { ...base, target: pb.CompareTarget.MOD, targetUnion: { case: 'modRevision', value: Number(given) } };
    case 'lease':
      return { ...base, target: pb.CompareTarget.LEASE, targetUnion: { case: 'lease', value: BigInt(given) } };
    case 'value':
      return { ...base, target: pb.CompareTarget.VALUE, targetUnion: { case: 'value', value: utf8(String(given)) } };
  }
}

export function showKv(kv: mvccpb.KeyValue): string {
  return `${fromUtf8(kv.key)}=${fromUtf8(kv.value)}`;
}

/** "+k=v" or "-k", and the value before, if it came along: "+k=v (u)". */
export function showEvent({ type, kv, prevKv }: mvccpb.Event): string {
  const change = type === 1 ? `-${fromUtf8(kv?.key ?? new Uint8Array(0))}` : `+${kv ? showKv(kv) : ''}`;
  return prevKv ? `${change} (${fromUtf8(prevKv.value)})` : change;
}
