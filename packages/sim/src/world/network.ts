// The wires of the simulated world: every pair of machines has a link in each direction, which may lose, delay, repeat, reorder and hold back
// what is sent. As on a stream, what arrives on a link does so in order, unless the weather is `datagram`.
import type { Random } from '@distrokv/base';
import type { SimulatedTime } from '@distrokv/env';

/** What the whole network does to messages. */
export interface Weather {
  readonly delayMs: readonly [low: number, high: number];
  /** Chances, of each delivery. */
  readonly loss: number;
  readonly duplication: number;
  /** Messages are delayed each on its own, and overtake. */
  readonly datagram: boolean;
}

interface Link {
  /** How many faults cut it at the moment. */
  cuts: number;
  /** What is sent before then arrives after it. */
  cloggedUntilMs: number;
  lastArrivalMs: number;
  /** Grows when the link is made anew: what was on its way is lost. */
  epoch: number;
}

export class Network {
  readonly #time: SimulatedTime;
  readonly #random: Random;
  readonly #links = new Map<number, Link>();
  weather: Weather;
  /** Counts, for the report of a campaign. */
  sent = 0;
  lost = 0;
  duplicated = 0;

  constructor(time: SimulatedTime, random: Random, weather: Weather) {
    this.#time = time;
    this.#random = random;
    this.weather = weather;
  }

  /** `deliver` runs when, and as often as, this arrives. It leaves in `inMs`. */
  send(from: number, to: number, deliver: (isRepeat: boolean) => void, inMs = 0): void {
    const { loss, duplication, datagram, delayMs } = this.weather;
    const link = this.#link(from, to);
    this.sent++;
    if (link.cuts > 0 || this.#random.chance(loss)) {
      this.lost++;
      return;
    }
    const now = this.#time.monotonicMs();
    const delay = delayMs[0] + this.#random.float() * (delayMs[1] - delayMs[0]);
    let arrivalMs = Math.max(now + inMs + delay, link.cloggedUntilMs);
    if (!datagram) arrivalMs = link.lastArrivalMs = Math.max(arrivalMs, link.lastArrivalMs);
    const { epoch } = link;
    const arrive = (isRepeat: boolean) => (): void => {
      if (link.cuts === 0 && link.epoch === epoch) deliver(isRepeat);
    };
    this.#time.timers.after(arrivalMs - now, arrive(false));
    if (!this.#random.chance(duplication)) return;
    this.duplicated++;
    this.#time.timers.after(arrivalMs - now + this.#random.float() * 20, arrive(true));
  }

  /** Cuts a link until the returned function is called. What is on its way is lost. */
  cut(from: number, to: number): () => void {
    const link = this.#link(from, to);
    link.cuts++;
    let isCut = true;
    return () => {
      if (isCut) link.cuts--;
      isCut = false;
    };
  }

  isCut(from: number, to: number): boolean {
    return this.#link(from, to).cuts > 0;
  }

  clog(from: number, to: number, forMs: number): void {
    this.#link(from, to).cloggedUntilMs = this.#time.monotonicMs() + forMs;
  }

  /** Every link is made anew. */
  reset(): void {
    for (const link of this.#links.values()) {
      link.cloggedUntilMs = link.lastArrivalMs = 0;
      link.epoch++;
    }
  }

  #link(from: number, to: number): Link {
    const key = from * 1000 + to;
    let link = this.#links.get(key);
    if (!link) this.#links.set(key, (link = { cuts: 0, cloggedUntilMs: 0, lastArrivalMs: 0, epoch: 0 }));
    return link;
  }
}
