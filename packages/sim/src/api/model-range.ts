// Of the model of the API: which keys a key and a range_end name, and what a Range makes of them. Written from the comments of rpc.proto and
// etcd's API guarantees, not from the store: all keys are looked at, and lists are filtered, sorted and cut one step after the other.
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { bytesOf, textOf } from './calls.ts';

export type Keys = ReadonlyMap<string, mvccpb.KeyValue>;

/**
 * "If range_end is not given, the request only looks up key. If range_end is '\0', the range is all keys greater than or equal to the key argument.
 * If both key and range_end are '\0', then the range request returns all keys." An end that is not after the key names nothing.
 */
export function namer(keyBytes: Uint8Array, endBytes: Uint8Array): (key: string) => boolean {
  const [from, end] = [textOf(keyBytes), textOf(endBytes)];
  if (end === '') return (key) => key === from;
  if (end === '\0') return (key) => from === '\0' || key >= from;
  return (key) => key >= from && key < end;
}

/** In the order of their bytes. */
export function named(keys: Keys, key: Uint8Array, rangeEnd: Uint8Array): mvccpb.KeyValue[] {
  const names = namer(key, rangeEnd);
  return [...keys]
    .filter(([name]) => names(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, found]) => found);
}

/** The order in which a Range works: fetch, filter by revisions, sort, cut. `count` is of the fetched, whatever is left of them. */
export function rangeOf(keys: Keys, request: pb.RangeRequest): Pick<pb.RangeResponse, 'kvs' | 'more' | 'count'> {
  const fetched = named(keys, request.key, request.rangeEnd);
  const count = fetched.length;
  if (request.countOnly) return { kvs: [], more: false, count };
  const filtered = fetched.filter(
    ({ modRevision, createRevision }) =>
      isWithin(modRevision, request.minModRevision, request.maxModRevision) &&
      isWithin(createRevision, request.minCreateRevision, request.maxCreateRevision),
  );
  const sorted = sort(request, filtered);
  const more = request.limit > 0 && sorted.length > request.limit;
  const cut = more ? sorted.slice(0, request.limit) : sorted;
  return { kvs: request.keysOnly ? cut.map((kv) => ({ ...kv, value: bytesOf('') })) : cut, more, count };
}

const isWithin = (revision: number, min: number, max: number): boolean => (min === 0 || revision >= min) && (max === 0 || revision <= max);

function sort(request: pb.RangeRequest, kvs: mvccpb.KeyValue[]): mvccpb.KeyValue[] {
  const { sortOrder, sortTarget, limit } = request;
  const filters = [request.minModRevision, request.maxModRevision, request.minCreateRevision, request.maxCreateRevision];
  const isFiltered = filters.some((each) => each !== 0);
  // Where no order is asked for, no more than the limit and one are fetched, in the order of keys; a target sorts these.
  const first = sortOrder === pb.SortOrder.NONE && !isFiltered && limit > 0 ? kvs.slice(0, limit + 1) : kvs;
  const sign = sortOrder === pb.SortOrder.DESCEND ? -1 : 1;
  return [...first].sort((a, b) => sign * byTarget(sortTarget, a, b));
}

function byTarget(target: number, a: mvccpb.KeyValue, b: mvccpb.KeyValue): number {
  switch (target) {
    case pb.SortTarget.VERSION:
      return a.version - b.version;
    case pb.SortTarget.CREATE:
      return a.createRevision - b.createRevision;
    case pb.SortTarget.MOD:
      return a.modRevision - b.modRevision;
    case pb.SortTarget.VALUE:
      return byText(textOf(a.value), textOf(b.value));
    default:
      return byText(textOf(a.key), textOf(b.key));
  }
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
