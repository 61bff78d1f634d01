// The etcd API as a plain, single-threaded program in memory: what every call answers, and what it leaves behind. It was written from etcd's "API
// guarantees", the comments of rpc.proto and the behaviour of etcd, and from nothing in this repository: where the store differs, one of both is wrong.
//
// It keeps every revision whole, and copies all keys for the next one. Time is not its business: `expire` ends a lease when somebody says so.
//
// Where etcd's versions differ: `keys_only` tells leases, as up to 3.6; and where several things can be said against a transaction, it is told the
// first in the order of its operations, as since 3.6.
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type Call, type Reply, type Response, bytesOf, textOf } from './calls.ts';
import { refusalOf } from './model-rules.ts';
import { type Keys, named, rangeOf } from './model-range.ts';

interface Lease {
  readonly ttl: number;
  readonly keys: Set<string>;
}

/** What a request that the store refuses is told. */
class Refused extends Error {}

const refuse = (text: string): never => {
  throw new Refused(`etcdserver: ${text}`);
};

const header = (revision: number): pb.ResponseHeader => pb.ResponseHeader.create({ revision });

export class ApiModel {
  #revision = 1;
  #compactRevision = -1;
  /** By revision; those before the compaction are gone. */
  readonly #states = new Map<number, Keys>([[1, new Map()]]);
  /** The state that the call in work makes. */
  #next = new Map<string, mvccpb.KeyValue>();
  #events: mvccpb.Event[] = [];
  readonly #leases = new Map<bigint, Lease>();
  /** What each revision changed, in order, previous values included: what a watcher of everything sees. */
  readonly history: Map<number, readonly mvccpb.Event[]> = new Map();

  /** "The key-value store's revision when the request was applied"; 1 for a fresh store. */
  get revision(): number {
    return this.#revision;
  }

  /** -1 before the first compaction. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Seconds granted; undefined when there is no such lease. */
  ttlOf(lease: bigint): number | undefined {
    return this.#leases.get(lease)?.ttl;
  }

  get leases(): bigint[] {
    return [...this.#leases.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  /** A `lease-grant` has the id and the TTL that the server chose. */
  perform(call: Call): Reply {
    const why = refusalOf(call);
    if (why !== undefined) return { kind: 'error', why };
    this.#next = new Map(this.#state);
    this.#events = [];
    try {
      const response = this.#run(call);
      this.#end();
      return { kind: 'response', response: { ...response, header: header(this.#revision) } };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { kind: 'error', why: error.message };
    }
  }

  /** What it answers to a transaction whose compares choose nothing but ranges; undefined for others. Nothing changes. */
  peek(call: Call & { kind: 'txn' }): Reply | undefined {
    const onlyReads = ({ ops }: Chosen): boolean =>
      ops.every((op) => op.case === 'requestRange' || (op.case === 'nested' && onlyReads(op.value)));
    return onlyReads(this.#choose(call.request)) ? this.perform(call) : undefined;
  }

  /** A lease ends: its keys go with it, in one revision; without keys there is none. */
  expire(lease: bigint): void {
    this.#next = new Map(this.#state);
    this.#events = [];
    this.#endLease(lease);
    this.#end();
  }

  #run(call: Call): Response {
    switch (call.kind) {
      case 'range':
        return this.#range(call.request);
      case 'put':
        this.#checkLease(call.request);
        this.#checkIgnored(call.request);
        return this.#put(call.request);
      case 'delete-range':
        return this.#delete(call.request);
      case 'txn':
        return this.#txn(call.request);
      case 'compact':
        return this.#compact(call.request);
      case 'lease-grant':
        return this.#grant(call.request);
      case 'lease-revoke':
        if (!this.#leases.has(call.request.id)) refuse('requested lease not found');
        this.#endLease(call.request.id);
        return pb.LeaseRevokeResponse.create();
      case 'lease-keep-alive':
        return pb.LeaseKeepAliveResponse.create({ id: call.request.id, ttl: this.#leases.get(call.request.id)?.ttl ?? 0 });
      case 'lease-time-to-live':
        return this.#timeToLive(call.request);
      case 'lease-leases':
        return pb.LeaseLeasesResponse.create({ leases: this.leases.map((id) => ({ id })) });
    }
  }

  // --- Revisions. ---

  get #state(): Keys {
    return this.#states.get(this.#revision) as Keys;
  }

  /** The revision that the call in work makes, if it changes anything. */
  get #coming(): number {
    return this.#revision + 1;
  }

  #end(): void {
    if (this.#events.length === 0) return;
    this.#revision++;
    this.#states.set(this.#revision, this.#next);
    this.history.set(this.#revision, this.#events);
  }

  #checkRevision(requested: number): void {
    if (requested > this.#revision) refuse('mvcc: required revision is a future revision');
    if (requested > 0 && requested < this.#compactRevision) refuse('mvcc: required revision has been compacted');
  }

  #compact({ revision }: pb.CompactionRequest): pb.CompactionResponse {
    if (revision <= this.#compactRevision) refuse('mvcc: required revision has been compacted');
    if (revision > this.#revision) refuse('mvcc: required revision is a future revision');
    for (const each of [...this.#states.keys()]) if (each < revision) this.#states.delete(each);
    this.#compactRevision = revision;
    return pb.CompactionResponse.create();
  }

  // --- Keys. ---

  /** What a range in the midst of a transaction sees: the writes before it. */
  get #seen(): number {
    return this.#events.length > 0 ? this.#coming : this.#revision;
  }

  #range(request: pb.RangeRequest): pb.RangeResponse {
    this.#checkRevision(request.revision);
    const keys = request.revision > 0 ? (this.#states.get(request.revision) as Keys) : this.#next;
    return pb.RangeResponse.create({ header: header(this.#seen), ...rangeOf(keys, request) });
  }

  #checkLease({ lease }: pb.PutRequest): void {
    if (lease !== 0n && !this.#leases.has(lease)) refuse('requested lease not found');
  }

  #checkIgnored({ key, ignoreValue, ignoreLease }: pb.PutRequest): void {
    if ((ignoreValue || ignoreLease) && !this.#state.has(textOf(key))) refuse('key not found');
  }

  #put({ key, value, lease, prevKv, ignoreValue, ignoreLease }: pb.PutRequest): pb.PutResponse {
    const name = textOf(key);
    const before = this.#next.get(name);
    const kv: mvccpb.KeyValue = {
      key,
      createRevision: before?.createRevision ?? this.#coming,
      modRevision: this.#coming,
      version: (before?.version ?? 0) + 1,
      value: ignoreValue && before ? before.value : value,
      lease: ignoreLease && before ? before.lease : lease,
    };
    this.#detach(name, before);
    this.#leases.get(kv.lease)?.keys.add(name);
    this.#next.set(name, kv);
    this.#events.push({ type: 0, kv, prevKv: before });
    return pb.PutResponse.create({ header: header(this.#coming), prevKv: prevKv ? before : undefined });
  }

  #delete({ key, rangeEnd, prevKv }: pb.DeleteRangeRequest): pb.DeleteRangeResponse {
    const found = named(this.#next, key, rangeEnd);
    this.#deleteAll(found);
    return pb.DeleteRangeResponse.create({ header: header(this.#seen), deleted: found.length, prevKvs: prevKv ? found : [] });
  }

  #deleteAll(doomed: readonly mvccpb.KeyValue[]): void {
    for (const kv of doomed) {
      const name = textOf(kv.key);
      this.#detach(name, kv);
      this.#next.delete(name);
      const gone = { key: kv.key, createRevision: 0, modRevision: this.#coming, version: 0, value: bytesOf(''), lease: 0n };
      this.#events.push({ type: 1, kv: gone, prevKv: kv });
    }
  }

  #detach(name: string, kv: mvccpb.KeyValue | undefined): void {
    if (kv) this.#leases.get(kv.lease)?.keys.delete(name);
  }

  // --- Transactions: compare everything, check everything, then do everything. ---

  #txn(request: pb.TxnRequest): pb.TxnResponse {
    const chosen = this.#choose(request);
    this.#checkAll(chosen);
    return this.#runAll(chosen);
  }

  #choose({ compare, success, failure }: pb.TxnRequest): Chosen {
    const succeeded = compare.every((each) => this.#holds(each));
    const ops = (succeeded ? success : failure).map(({ request }): Op =>
      request?.case === 'requestTxn' ? { case: 'nested', value: this.#choose(request.value) } : (request as Plain),
    );
    return { succeeded, ops };
  }

  /** "Every key of the range"; a range without keys is one key that is not there. */
  #holds(compare: pb.Compare): boolean {
    const found = named(this.#state, compare.key, compare.rangeEnd);
    if (found.length > 0) return found.every((kv) => compares(compare, kv));
    return compare.target !== pb.CompareTarget.VALUE && compares(compare, undefined);
  }

  #checkAll({ ops }: Chosen): void {
    for (const op of ops) {
      if (op.case === 'requestRange') this.#checkRevision(op.value.revision);
      if (op.case === 'requestPut') this.#checkIgnored(op.value);
      if (op.case === 'requestPut') this.#checkLease(op.value);
      if (op.case === 'nested') this.#checkAll(op.value);
    }
  }

  #runAll({ succeeded, ops }: Chosen): pb.TxnResponse {
    return pb.TxnResponse.create({ succeeded, responses: ops.map((op) => ({ response: this.#runOp(op) })) });
  }

  #runOp(op: Op): NonNullable<pb.ResponseOp['response']> {
    switch (op.case) {
      case 'requestRange':
        return { case: 'responseRange', value: this.#range(op.value) };
      case 'requestPut':
        return { case: 'responsePut', value: this.#put(op.value) };
      case 'requestDeleteRange':
        return { case: 'responseDeleteRange', value: this.#delete(op.value) };
      case 'nested':
        return { case: 'responseTxn', value: this.#runAll(op.value) };
    }
  }

  // --- Leases. ---

  #grant({ id, ttl }: pb.LeaseGrantRequest): pb.LeaseGrantResponse {
    if (this.#leases.has(id)) refuse('lease already exists');
    this.#leases.set(id, { ttl, keys: new Set() });
    return pb.LeaseGrantResponse.create({ id, ttl });
  }

  #endLease(id: bigint): void {
    const names = [...(this.#leases.get(id)?.keys ?? [])].sort();
    this.#deleteAll(names.map((name) => this.#next.get(name) as mvccpb.KeyValue));
    this.#leases.delete(id);
  }

  /** The time that is left is left out: it is for judges who know what time it is. */
  #timeToLive({ id, keys }: pb.LeaseTimeToLiveRequest): pb.LeaseTimeToLiveResponse {
    const lease = this.#leases.get(id);
    if (!lease) return pb.LeaseTimeToLiveResponse.create({ id, ttl: -1 });
    return pb.LeaseTimeToLiveResponse.create({ id, ttl: 0, grantedTTL: lease.ttl, keys: keys ? [...lease.keys].sort().map(bytesOf) : [] });
  }
}

type Plain = Exclude<NonNullable<pb.RequestOp['request']>, { case: 'requestTxn' }>;
type Op = Plain | { readonly case: 'nested'; readonly value: Chosen };

/** The branches that the compares chose. */
interface Chosen {
  readonly succeeded: boolean;
  readonly ops: readonly Op[];
}

/** A key that is not there compares as if everything of it were 0. */
function compares(compare: pb.Compare, kv: mvccpb.KeyValue | undefined): boolean {
  const order = orderOf(compare, kv);
  switch (compare.result) {
    case pb.CompareResult.EQUAL:
      return order === 0;
    case pb.CompareResult.NOT_EQUAL:
      return order !== 0;
    case pb.CompareResult.GREATER:
      return order > 0;
    default:
      return order < 0;
  }
}

function orderOf({ target, targetUnion: given }: pb.Compare, kv: mvccpb.KeyValue | undefined): number {
  const by = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
  switch (target) {
    case pb.CompareTarget.VERSION:
      return by(kv?.version ?? 0, given?.case === 'version' ? given.value : 0);
    case pb.CompareTarget.CREATE:
      return by(kv?.createRevision ?? 0, given?.case === 'createRevision' ? given.value : 0);
    case pb.CompareTarget.MOD:
      return by(kv?.modRevision ?? 0, given?.case === 'modRevision' ? given.value : 0);
    case pb.CompareTarget.LEASE:
      return by(kv?.lease ?? 0n, given?.case === 'lease' ? given.value : 0n);
    default:
      return by(textOf(kv?.value ?? bytesOf('')), given?.case === 'value' ? textOf(given.value) : '');
  }
}
