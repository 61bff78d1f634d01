// Watching keys for as long as one likes: when the connection or the member fails, the watch goes on with another member from the revision after the
// last one that it has given. So each event comes once, in order, and none is left out.
import { type ClientStream, GrpcError } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { ClientError } from './errors.ts';
import { pause } from './pause.ts';
import type { Pool } from './pool.ts';
import { type BytesLike, type KeySelection, keyRange } from './ranges.ts';

export interface WatchOptions extends KeySelection {
  /** The first revision to see, in the past too; default: what comes next. */
  readonly startRevision?: number;
  /** Give the pair before with each event, as far as it is not compacted away. */
  readonly prevKv?: boolean;
  /** Give a response without events now and then, while nothing happens. */
  readonly progressNotify?: boolean;
  /** Leave out what is put, or what is deleted. */
  readonly only?: 'put' | 'delete';
  /** Called when the watch is set up, at first and after each reconnection, with the store's revision. */
  readonly onCreated?: (revision: number) => void;
  /** Ends the loop. */
  readonly signal?: AbortSignal;
}

/** After a failure the next attempt waits, twice as long each time. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 2000;

/**
 * Responses with events, each revision whole in one of them; those without events tell of progress (`header.revision`). Throws ClientError: `compacted`
 * when what would come next is compacted away, `refused` when the server does not take the watch, `closed`.
 */
export async function* watch(pool: Pool, key: BytesLike, options: WatchOptions): AsyncGenerator<pb.WatchResponse, void, undefined> {
  let next = options.startRevision ?? 0;
  let pauseMs = FIRST_PAUSE_MS;
  const isOver = (): boolean => options.signal?.aborted === true;
  while (!isOver()) {
    const stream = pool.stream(pb.Watch.methods.watch, { metadata: { hasleader: 'true' } });
    const cancel = (): void => stream.cancel();
    options.signal?.addEventListener('abort', cancel);
    try {
      for await (const response of responsesOf(stream, requestOf(key, options, next))) {
        const revision = response.header?.revision ?? 0;
        pauseMs = FIRST_PAUSE_MS;
        if (response.canceled) throw ended(response);
        if (response.created) {
          if (next === 0) next = revision + 1;
          options.onCreated?.(revision);
          continue;
        }
        const last = response.events.at(-1)?.kv?.modRevision ?? revision;
        next = Math.max(next, last + 1);
        yield response;
      }
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof GrpcError) || !isPassing(error)) throw pool.explain(error);
      pool.moveOn();
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      stream.cancel();
    }
    await pause(pauseMs, options.signal);
    pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS);
  }
}

function requestOf(key: BytesLike, options: WatchOptions, startRevision: number): pb.WatchRequest {
  const { prevKv = false, progressNotify = false, only } = options;
  const filters = only === 'put' ? [pb.FilterType.NODELETE] : only === 'delete' ? [pb.FilterType.NOPUT] : [];
  const value = pb.WatchCreateRequest.create({ ...keyRange(key, options), startRevision, prevKv, progressNotify, filters });
  return { requestUnion: { case: 'createRequest', value } };
}

function responsesOf(stream: ClientStream<pb.WatchRequest, pb.WatchResponse>, request: pb.WatchRequest): AsyncIterable<pb.WatchResponse> {
  stream.send(request);
  return stream.responses;
}

function ended({ compactRevision, cancelReason }: pb.WatchResponse): ClientError {
  if (compactRevision === 0) return new ClientError('refused', cancelReason);
  const message = `what this watch would see next is compacted away: revisions from ${compactRevision} on can be watched`;
  return new ClientError('compacted', message, { compactRevision });
}

/** Another member, or the same one later, may do better. */
function isPassing({ code }: GrpcError): boolean {
  return code === 'unavailable' || code === 'cancelled' || code === 'internal' || code === 'unknown' || code === 'deadline-exceeded';
}
