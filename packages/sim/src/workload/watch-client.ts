// A client that watches: many watches on one stream, from now, from the past, from the future; it asks for progress, cancels, reads slowly at times, and
// goes on at another member from where it was when its stream breaks.
import { type Random, seededRandom } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { bytesOf, show } from '../api/calls.ts';
import { type Watched, describeWatch } from '../api/watched.ts';
import type { MemberProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import { StreamClient } from './stream-client.ts';
import type { WatchLine } from './watch-scripts.ts';
import { WatchStream } from './watch-stream.ts';

const MOST_WATCHES = 8;
/** Where ranges begin and end: the keys of all clients of the simulator. */
const KEYS = ['k', 'k\0', 'ka', 'kb', 'kc', 'l', 'r', 'r0', 't', 't1', 'u'];

export class WatchClient extends StreamClient<WatchLine, WatchStream> {
  readonly #records: Watched[];
  /** Those of the stream, and those that wait for one. */
  #live: Watched[] = [];
  /** Created in this order; the member answers in it. */
  #asked: Watched[] = [];
  #revision = 1;

  constructor(index: number, world: World, records: Watched[]) {
    super(`w${index + 1}`, index, world);
    this.#records = records;
  }

  protected override act({ what, seed }: WatchLine): void {
    const random = seededRandom(seed);
    switch (what) {
      case 'create':
        if (this.#live.length < MOST_WATCHES) this.#create(drawWatch(random, this.#revision, this.#live));
        return;
      case 'cancel':
        return this.#cancel(this.#live[random.below(Math.max(1, this.#live.length))]);
      case 'progress':
        return this.stream?.send({ case: 'progressRequest', value: {} });
      case 'move':
        return this.move(1 + random.below(this.world.machines.length));
      case 'slow':
        this.readMs = 20 * (1 + random.below(20));
        return;
      case 'quick':
        this.readQuickly();
    }
  }

  #create(request: pb.WatchCreateRequest): void {
    const watched: Watched = {
      who: this.name,
      machine: this.at,
      request,
      id: undefined,
      responses: [],
      isCancelled: false,
      isOver: false,
    };
    this.#live.push(watched);
    if (this.stream) this.#ask(watched);
  }

  #ask(watched: Watched): void {
    this.#records.push(watched);
    this.#asked.push(watched);
    this.world.trace.note(this.name, `watches at n${watched.machine + 1}: ${show(watched.request)}`);
    this.stream?.send({ case: 'createRequest', value: watched.request });
  }

  #cancel(watched: Watched | undefined): void {
    if (!watched || watched.id === undefined || watched.isCancelled || !this.stream) return;
    watched.isCancelled = true;
    this.stream.send({ case: 'cancelRequest', value: { watchId: watched.id } });
  }

  // --- The stream. ---

  protected override open(process: MemberProcess): WatchStream | undefined {
    if (!process.watch) return undefined;
    const stream: WatchStream = new WatchStream({
      world: this.world,
      process,
      readMs: () => this.readMs,
      onResponse: (response) => this.#heard(response),
      onEnd: (why) => this.broke(stream, why),
    });
    return stream;
  }

  protected override opened(): void {
    this.#live = this.#live.map((watched) => this.#resumed(watched));
    for (const watched of this.#live) this.#ask(watched);
  }

  protected override close(stream: WatchStream): void {
    stream.close();
    this.#asked = [];
    for (const watched of this.#live) watched.isOver = true;
    this.#live = this.#live.filter(({ isCancelled }) => !isCancelled);
  }

  /** The same watch, from the revision after the last that it heard of. */
  #resumed(watched: Watched): Watched {
    const { request, responses } = watched;
    const created = responses.find((response) => response.created);
    let next = request.startRevision > 0 || !created ? request.startRevision : (created.header?.revision ?? 0) + 1;
    for (const { created: isCreated, header, events, fragment } of responses) {
      if (!isCreated && events.length === 0 && header) next = Math.max(next, header.revision + 1);
      else if (!fragment) for (const { kv } of events) next = Math.max(next, (kv?.modRevision ?? 0) + 1);
    }
    return { ...watched, machine: this.at, request: { ...request, startRevision: next }, id: undefined, responses: [], isOver: false };
  }

  #heard(response: pb.WatchResponse): void {
    this.world.trace.note(this.name, `hears ${show(response)}`);
    this.#revision = Math.max(this.#revision, response.header?.revision ?? 0);
    if (response.created) {
      const watched = this.#asked.shift();
      if (!watched) return;
      watched.id = response.watchId;
      watched.responses.push(response);
      if (response.canceled) this.#ended(watched);
      return;
    }
    const meant = this.#live.filter(({ id }) => id !== undefined && (response.watchId === -1 || id === response.watchId));
    for (const watched of meant) watched.responses.push(response);
    const [watched] = meant;
    if (!response.canceled || !watched) return;
    this.#ended(watched);
    // As clients do: on from what is left of the past.
    if (response.compactRevision > 0 && !watched.isCancelled)
      this.#create({ ...watched.request, watchId: 0, startRevision: response.compactRevision });
  }

  #ended(watched: Watched): void {
    watched.isOver = true;
    this.#live = this.#live.filter((each) => each !== watched);
    this.world.trace.note(this.name, `has no watch any more: ${describeWatch(watched)}`);
  }
}

function drawWatch(random: Random, revision: number, live: readonly Watched[]): pb.WatchCreateRequest {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const isAll = random.chance(0.25);
  const filters = [...(random.chance(0.12) ? [pb.FilterType.NOPUT] : []), ...(random.chance(0.12) ? [pb.FilterType.NODELETE] : [])];
  return pb.WatchCreateRequest.create({
    key: bytesOf(isAll ? '\0' : pick(KEYS)),
    rangeEnd: bytesOf(isAll ? '\0' : random.chance(0.4) ? '' : random.chance(0.2) ? '\0' : pick(KEYS)),
    startRevision: drawStart(random, revision),
    prevKv: random.chance(0.5),
    progressNotify: random.chance(0.5),
    fragment: random.chance(0.3),
    filters,
    watchId: random.chance(0.1) ? random.between(1, 6) : random.chance(0.03) ? (live[0]?.id ?? 0) : 0,
  });
}

function drawStart(random: Random, revision: number): number {
  const dice = random.float();
  if (dice < 0.35) return 0;
  if (dice < 0.42) return 1;
  if (dice < 0.44) return -1;
  return dice < 0.6 ? revision + random.between(1, 20) : Math.max(1, revision - random.below(random.chance(0.5) ? 20 : 400));
}
