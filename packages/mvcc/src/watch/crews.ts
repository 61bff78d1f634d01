// The watchers of a group that are given the same things, by who takes them for them: a sink is handed an event for all of its watchers at once, so
// what an event costs grows with the sinks, and hardly with the watchers.
import { assert } from '@distrokv/base';
import type { WatchSink, Watcher } from './watcher.ts';

export class Crew {
  readonly sink: WatchSink;
  /** In no particular order; never empty while others know of the crew. */
  readonly watchers: Watcher[] = [];
  /** The store's revision when they were last given something; 0: never. */
  givenAt = 0;
  /** Its place in `Crews`. */
  place = 0;

  constructor(sink: WatchSink) {
    this.sink = sink;
  }
}

/** With more crews than this, a sink's is looked up. */
const MAX_SCANNED = 8;

export class Crews {
  readonly #crews: Crew[] = [];
  /** Most groups have one watcher, and need none of this. */
  #bySink: Map<WatchSink, Crew> | undefined;

  get size(): number {
    return this.#crews.length;
  }

  /** As they are now, though sinks end watchers while they are gone through. */
  list(): readonly Crew[] {
    return [...this.#crews];
  }

  join(watcher: Watcher): void {
    const crew = this.#of(watcher.sink) ?? this.#add(watcher.sink);
    watcher.place = crew.watchers.push(watcher) - 1;
    watcher.crew = crew;
  }

  /** The last one takes the place of the one that leaves. */
  leave(watcher: Watcher): void {
    const { crew, place } = watcher;
    assert(crew?.watchers[place] === watcher, 'a watcher knows its place');
    const last = crew.watchers.pop() as Watcher;
    if (last !== watcher) {
      crew.watchers[place] = last;
      last.place = place;
    }
    watcher.givenAt = crew.givenAt;
    watcher.crew = undefined;
    if (crew.watchers.length === 0) this.#remove(crew);
  }

  #of(sink: WatchSink): Crew | undefined {
    return this.#bySink ? this.#bySink.get(sink) : this.#crews.find((crew) => crew.sink === sink);
  }

  #add(sink: WatchSink): Crew {
    const crew = new Crew(sink);
    crew.place = this.#crews.push(crew) - 1;
    if (this.#bySink) this.#bySink.set(sink, crew);
    else if (this.#crews.length > MAX_SCANNED) this.#bySink = new Map(this.#crews.map((one) => [one.sink, one]));
    return crew;
  }

  #remove(crew: Crew): void {
    const last = this.#crews.pop() as Crew;
    if (last !== crew) {
      this.#crews[crew.place] = last;
      last.place = crew.place;
    }
    this.#bySink?.delete(crew.sink);
  }
}
