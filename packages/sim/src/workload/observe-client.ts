// A client that observes an election: it hears who leads and what that proclaims, reads slowly at times, and begins anew at another member when its
// stream breaks.
import { messageOf, utf8 } from '@distrokv/base';
import type { ServerStream } from '@distrokv/grpc';
import type { v3electionpb } from '@distrokv/proto';
import type { Observed } from '../api/api-history.ts';
import { serverCall } from '../api/asking.ts';
import { show } from '../api/calls.ts';
import type { Machine } from '../world/machine.ts';
import type { MemberProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import { WAY_MS } from './calling.ts';
import type { ObserveLine, ObserveScript } from './line-scripts.ts';

/** Answers under way to a client that does not read. */
const WINDOW = 3;
const PAUSE_MS = 200;
const READ_MS = 0.5;

type Answer = v3electionpb.LeaderResponse;

interface Stream {
  readonly abort: AbortController;
  readonly record: Observed;
}

export class ObserveClient {
  readonly #who: string;
  readonly #world: World;
  readonly #records: Observed[];
  readonly #name: string;
  #at: number;
  #stream: Stream | undefined;
  #readMs = READ_MS;

  constructor(index: number, world: World, records: Observed[], { name }: ObserveScript) {
    this.#who = `o${index + 1}`;
    this.#world = world;
    this.#records = records;
    this.#name = name;
    this.#at = index % world.machines.length;
  }

  async play({ lines }: ObserveScript): Promise<void> {
    this.#connect();
    for (const line of lines) {
      await this.#world.time.timers.sleep(line.thinkMs);
      if (this.#world.isClosing) return;
      this.#do(line);
    }
  }

  /** From here on it reads quickly, and hears this member. */
  settleOn(machine: Machine): void {
    this.#readMs = READ_MS;
    if (this.#stream && this.#at === machine.index) return;
    this.#at = machine.index;
    this.#break('goes to a healed member');
    this.#connect();
  }

  #do({ what }: ObserveLine): void {
    switch (what) {
      case 'slow':
        this.#readMs = 700;
        return;
      case 'quick':
        this.#readMs = READ_MS;
        return;
      case 'move':
        this.#at = (this.#at + 1) % this.#world.machines.length;
        this.#break('goes elsewhere');
        this.#connect();
    }
  }

  #connect(): void {
    if (this.#stream) return;
    const { process } = this.#world.machines[this.#at] as Machine;
    if (!process?.election || process.gate.isPaused) return this.#retry();
    const record: Observed = { who: this.#who, machine: this.#at, name: this.#name, answers: [], isOver: false };
    const abort = new AbortController();
    const stream = { abort, record };
    this.#stream = stream;
    this.#records.push(record);
    this.#world.trace.note(this.#who, `observes ${this.#name} at n${this.#at + 1}`);
    const end = (why: string): void => {
      if (this.#stream !== stream) return;
      this.#break(why);
      this.#retry();
    };
    process.gate.onDeath(() => end('the connection broke'));
    process.gate.enter(() => {
      const ends = process.election?.observe?.({ name: utf8(this.#name) }, this.#call(process, stream));
      (ends ?? Promise.reject(new Error('refused the connection'))).then(
        () => process.gate.enter(() => end('the member ended the stream')),
        (error: unknown) => process.gate.enter(() => end(messageOf(error))),
      );
    });
  }

  #retry(): void {
    this.#world.time.timers.after(PAUSE_MS, () => {
      if (this.#stream) return;
      if (!this.#world.isClosing) this.#at = (this.#at + 1) % this.#world.machines.length;
      this.#connect();
    });
  }

  #break(why: string): void {
    const stream = this.#stream;
    if (!stream) return;
    this.#world.trace.note(this.#who, `loses its stream: ${why}`);
    this.#stream = undefined;
    stream.record.isOver = true;
    const { process } = this.#world.machines[stream.record.machine] as Machine;
    this.#world.time.timers.after(WAY_MS, () => process?.gate.enter(() => stream.abort.abort(new Error('the client has gone'))));
  }

  /** The member's end of the stream: answers are under way one after the other, and it waits when the client reads none. */
  #call(process: MemberProcess, stream: Stream): ServerStream<v3electionpb.LeaderRequest, Answer> {
    const underWay: Answer[] = [];
    let onRoom: (() => void)[] = [];
    let isReading = false;
    const read = (): void => {
      if (isReading || underWay.length === 0) return;
      isReading = true;
      this.#world.time.timers.after(this.#readMs, () => {
        isReading = false;
        const answer = underWay.shift();
        if (!answer || stream.record.isOver) return;
        this.#world.trace.note(this.#who, `hears ${show(answer)}`);
        stream.record.answers.push(answer);
        const woken = onRoom;
        onRoom = [];
        process.gate.enter(() => woken.forEach((run) => run()));
        read();
      });
    };
    const unexpected = (): never => {
      throw new Error('answers to who observes are sent one by one, and it asks once');
    };
    return {
      ...serverCall(stream.abort.signal),
      requests: { [Symbol.asyncIterator]: unexpected },
      send: (answer) => {
        underWay.push(answer);
        read();
        return underWay.length < WINDOW;
      },
      sendFramed: unexpected,
      memory: { allocate: () => undefined, share: () => {}, giveBack: () => {} },
      writable: () => new Promise((resolve) => (underWay.length < WINDOW ? resolve() : onRoom.push(resolve))),
    };
  }
}
