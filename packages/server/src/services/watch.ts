// etcdserverpb.Watch: many watchers on one stream. What they see comes from the hub (`mvcc`); here are the stream's own rules: ids, the order of
// what is sent, fragments, and word of progress. All that goes out passes one queue, so whatever is said of a watcher is said after its events.
import { type Deferred, deferred } from '@distrokv/base';
import type { Timer } from '@distrokv/env';
import { GrpcError, type Handlers, type ServerStream } from '@distrokv/grpc';
import { type EventBatch, type WatchOptions, type WatchSink, type Watcher, isEmptyRange, keyRange } from '@distrokv/mvcc';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { serverDefaults } from '../config.ts';
import { noLeader, serverStopped } from '../replica/errors.ts';
import { type ServiceContext, header } from './context.ts';
import { SLICE_MS } from './slices.ts';
import { WatchCopies } from './watch-copies.ts';
import { WatchOutput } from './watch-output.ts';

/** etcd's allowance beyond the largest request, before a response is cut in fragments. */
const FRAGMENT_OVERHEAD_BYTES = 512 << 10;
/** Nothing of an event but its keys and values takes more. */
const EVENT_OVERHEAD_BYTES = 96;
/** For all watchers of the stream, or for none. */
const NO_WATCHER = -1;

type Call = ServerStream<pb.WatchRequest, pb.WatchResponse>;

export class WatchService {
  readonly #context: ServiceContext;
  readonly #streams = new Set<WatchStream>();
  /** What streams share of the events that they were given. */
  readonly copies: WatchCopies = new WatchCopies();
  /** Streams that were given events which they have not sent. */
  #given: WatchStream[] = [];
  /** The header that was encoded last: all streams send the same one in a moment. */
  #header: { readonly revision: number; readonly term: number; readonly bytes: Uint8Array } | undefined;
  #isReading = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    context.store.watches.onWork(() => void this.#readHistory());
    context.store.watches.onGiven(() => {
      for (const stream of this.#given) stream.flush();
      this.#given = [];
      this.copies.clear();
    });
    context.replica.onLeaderless(() => {
      for (const stream of this.#streams) stream.leaderLost();
    });
  }

  get handlers(): Handlers<typeof pb.Watch> {
    return { watch: (call) => this.#serve(call) };
  }

  /** Ends all streams. */
  stop(): void {
    for (const stream of this.#streams) stream.end(serverStopped());
  }

  async #serve(call: Call): Promise<void> {
    const stream = new WatchStream(this.#context, call, this);
    this.#streams.add(stream);
    try {
      await stream.run();
    } finally {
      this.#streams.delete(stream);
    }
  }

  /** The stream is to be flushed when nothing more comes for it in this go. */
  willSend(stream: WatchStream): void {
    this.#given.push(stream);
  }

  /** The header of a WatchResponse, encoded. */
  header(revision: number): Uint8Array {
    const { term } = this.#context.replica;
    if (this.#header?.revision === revision && this.#header.term === term) return this.#header.bytes;
    const bytes = pb.WatchResponse.encode(pb.WatchResponse.create({ header: header(this.#context, revision) }));
    this.#header = { revision, term, bytes };
    return bytes;
  }

  /** Lets those who are behind catch up, in slices. */
  async #readHistory(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { env, store, onFatal } = this.#context;
    try {
      await env.timers.yield();
      let sliceStart = env.clock.monotonicMs();
      while (store.watches.step()) {
        if (env.clock.monotonicMs() - sliceStart < SLICE_MS) continue;
        await env.timers.yield();
        sliceStart = env.clock.monotonicMs();
      }
    } catch (error) {
      onFatal(error);
    } finally {
      this.#isReading = false;
    }
  }
}

interface Watch {
  readonly watcher: Watcher;
  readonly request: pb.WatchCreateRequest;
  /** `givenAt` of the watcher when word of progress was last thought of. */
  givenAt: number;
}

class WatchStream implements WatchSink {
  readonly #context: ServiceContext;
  readonly #call: Call;
  /** By their ids, which their watchers have for tags. */
  readonly #watches = new Map<number, Watch>();
  readonly #needsLeader: boolean;
  readonly #ended: Deferred<void> = deferred();
  #nextId = 0;
  readonly #service: WatchService;
  readonly #output: WatchOutput;
  /** What waits until the connection takes more; empty unless `#isFull`. */
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isFull = false;
  /** So much may wait. */
  readonly #mostBytes: number;
  /** Events of so many bytes are sent in fragments to those who asked for that. */
  readonly #fragmentBytes: number;
  /** Those whose events found no room. */
  #parked: Watcher[] = [];
  #onRoom: () => void = () => {};
  #progress: Timer | undefined;
  #isOver = false;

  constructor(context: ServiceContext, call: Call, service: WatchService) {
    this.#context = context;
    this.#service = service;
    this.#output = new WatchOutput({ emit: (messages) => this.#emit(messages), memory: call.memory, copies: service.copies });
    this.#call = call;
    this.#needsLeader = call.metadata.get('hasleader') === 'true';
    this.#mostBytes = context.config.watchQueueBytes ?? serverDefaults.watchQueueBytes;
    const { maxRequestBytes, watchFragmentBytes } = context.config;
    this.#fragmentBytes = watchFragmentBytes ?? maxRequestBytes + FRAGMENT_OVERHEAD_BYTES;
  }

  async run(): Promise<void> {
    if (this.#needsLeader && this.#context.replica.leader === undefined) throw noLeader();
    this.#call.signal.addEventListener('abort', () =>
      this.end(new GrpcError('cancelled', 'etcdserver: watch canceled', { isAnswer: true })),
    );
    this.#read().catch((error: unknown) => this.end(error));
    await this.#ended.promise;
  }

  end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#progress?.cancel();
    for (const { watcher } of this.#watches.values()) this.#context.store.watches.remove(watcher);
    this.#onRoom();
    this.#flushAlone();
    this.#ended.reject(error);
  }

  leaderLost(): void {
    if (this.#needsLeader) this.end(noLeader());
  }

  /** A client that asks no more still listens: only it ends the stream. */
  async #read(): Promise<void> {
    for await (const { requestUnion } of this.#call.requests) {
      if (this.#isOver) return;
      if (requestUnion?.case === 'createRequest') this.#create(requestUnion.value);
      if (requestUnion?.case === 'cancelRequest') this.#cancel(requestUnion.value.watchId);
      if (requestUnion?.case === 'progressRequest') this.#tellProgress();
      if (!this.hasRoom) await new Promise<void>((resolve) => (this.#onRoom = resolve));
    }
  }

  // --- What the client asks for. ---

  #create(request: pb.WatchCreateRequest): void {
    const { store } = this.#context;
    const revision = store.watches.revision;
    const key = request.key.length === 0 ? Uint8Array.of(0) : request.key;
    const range = keyRange(key, request.rangeEnd);
    const refuse = (cancelReason: string): void => {
      this.#send({ header: header(this.#context, revision), watchId: NO_WATCHER, created: true, canceled: true, cancelReason });
    };
    if (request.startRevision < 0) return refuse('etcdserver: mvcc: required revision has been compacted');
    if (isEmptyRange(range)) return refuse('mvcc: watcher range is empty');
    if (request.watchId !== 0 && this.#watches.has(request.watchId)) return refuse('mvcc: duplicate watch ID provided on the WatchStream');
    const id = request.watchId !== 0 ? request.watchId : this.#freeId();
    const options: WatchOptions = {
      range,
      startRevision: request.startRevision,
      prevKv: request.prevKv,
      noPut: request.filters.includes(pb.FilterType.NOPUT),
      noDelete: request.filters.includes(pb.FilterType.NODELETE),
    };
    const watcher = store.watches.create(options, this, id);
    this.#watches.set(id, { watcher, request, givenAt: watcher.givenAt });
    if (request.progressNotify) this.#startProgress();
    this.#send({ header: header(this.#context, revision), watchId: id, created: true });
  }

  #freeId(): number {
    while (this.#watches.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #cancel(id: number): void {
    const watch = this.#watches.get(id);
    if (!watch) return; // no answer, as in etcd
    this.#context.store.watches.remove(watch.watcher);
    this.#watches.delete(id);
    this.#send({ header: header(this.#context, this.#context.store.watches.revision), watchId: id, canceled: true });
  }

  /** One answer for all, once none of them lacks anything; until then none, and clients ask again. */
  #tellProgress(): void {
    const { watches } = this.#context.store;
    if (this.#watches.size === 0) return;
    for (const { watcher } of this.#watches.values()) if (!watches.isCurrent(watcher)) return;
    this.#send({ header: header(this.#context, watches.revision), watchId: NO_WATCHER });
  }

  // --- Word of progress from time to time. ---

  #startProgress(): void {
    if (this.#progress) return;
    const { env, config } = this.#context;
    // Not all streams in the same moment.
    const periodMs = config.watchProgressNotifyMs ?? serverDefaults.watchProgressNotifyMs;
    const jitterMs = env.random.below(Math.max(1, Math.floor(periodMs / 10)));
    this.#progress = env.timers.every(periodMs + jitterMs, () => this.#notifyProgress());
  }

  #notifyProgress(): void {
    const { watches } = this.#context.store;
    for (const [watchId, watch] of this.#watches) {
      const { watcher, request, givenAt } = watch;
      if (!request.progressNotify) continue;
      watch.givenAt = watcher.givenAt;
      if (watch.givenAt === givenAt && watches.isCurrent(watcher) && this.hasRoom)
        this.#send({ header: header(this.#context, watches.revision), watchId });
    }
  }

  // --- What the hub gives. ---

  get hasRoom(): boolean {
    return !this.#isFull || this.#queuedBytes + this.#output.pendingBytes < this.#mostBytes;
  }

  park(watcher: Watcher): void {
    this.#parked.push(watcher);
  }

  events(watchers: readonly Watcher[], most: number, batch: EventBatch, revision: number): number {
    if (this.#output.pendingBytes === 0) this.#service.willSend(this);
    const message = { header: this.#service.header(revision), events: batch.encoded };
    const isLarge = batch.encoded.length >= this.#fragmentBytes;
    let taken = 0;
    while (taken < Math.min(most, watchers.length) && this.hasRoom) {
      const { tag } = watchers[taken] as Watcher;
      if (isLarge && this.#watches.get(tag)?.request.fragment === true) {
        this.#addFragments(tag, fragmentsOf(batch.events, this.#fragmentBytes), revision);
        taken++;
      } else taken = this.#output.addEvents(message, watchers, taken, isLarge ? taken + 1 : Math.min(most, watchers.length));
    }
    return taken;
  }

  #addFragments(watchId: number, pieces: readonly (readonly mvccpb.Event[])[], revision: number): void {
    for (const [i, events] of pieces.entries()) {
      const fragment = i < pieces.length - 1;
      this.#output.add(pb.WatchResponse.create({ header: header(this.#context, revision), watchId, events, fragment }));
    }
  }

  compacted({ tag }: Watcher, compactRevision: number): void {
    this.#watches.delete(tag);
    // Revision 0 in the header, and no reason: as etcd has it.
    this.#send({ header: header(this.#context, 0), watchId: tag, canceled: true, compactRevision });
  }

  // --- What goes out. ---

  #send(fields: Partial<pb.WatchResponse>): void {
    this.#output.add(pb.WatchResponse.create(fields));
    this.#flushAlone();
  }

  /** Sends what was given; while the connection takes no more, it is kept together. */
  flush(): void {
    if (!this.#isFull) this.#output.flush();
  }

  /** The same when no other stream is about to send the same. */
  #flushAlone(): void {
    this.flush();
    this.#service.copies.clear();
  }

  #emit(messages: Uint8Array): void {
    if (!this.#isFull) {
      if (!this.#call.sendFramed(messages)) this.#full();
      return;
    }
    this.#queue.push(messages);
    this.#queuedBytes += messages.length;
  }

  #full(): void {
    this.#isFull = true;
    this.#call.writable().then(
      () => this.#drain(),
      () => undefined, // the call is over
    );
  }

  #drain(): void {
    if (this.#isOver) return;
    this.#isFull = false;
    let sent = 0;
    for (; sent < this.#queue.length && !this.#isFull; sent++) {
      const messages = this.#queue[sent] as Uint8Array;
      this.#queuedBytes -= messages.length;
      if (!this.#call.sendFramed(messages)) this.#full();
    }
    this.#queue = this.#queue.slice(sent);
    this.#flushAlone();
    if (!this.hasRoom) return;
    this.#context.store.watches.resume(this.#parked.splice(0));
    this.#onRoom();
  }
}

function sizeOf({ kv, prevKv }: mvccpb.Event): number {
  const pair = (one: mvccpb.KeyValue | undefined): number => (one ? one.key.length + one.value.length : 0);
  return EVENT_OVERHEAD_BYTES + pair(kv) + pair(prevKv);
}

/** Pieces below `limit` bytes; one event at least in each. */
function fragmentsOf(events: readonly mvccpb.Event[], limit: number): (readonly mvccpb.Event[])[] {
  const pieces: mvccpb.Event[][] = [];
  let piece: mvccpb.Event[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = sizeOf(event);
    if (piece.length > 0 && bytes + size >= limit) {
      pieces.push(piece);
      piece = [];
      bytes = 0;
    }
    piece.push(event);
    bytes += size;
  }
  pieces.push(piece);
  return pieces;
}
