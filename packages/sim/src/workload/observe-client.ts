// A client that observes an election: it hears who leads and what that proclaims.
import { messageOf, utf8 } from '@distrokv/base';
import type { ServerStream } from '@distrokv/grpc';
import type { v3electionpb } from '@distrokv/proto';
import type { Observed } from '../api/api-history.ts';
import { serverCall } from '../api/asking.ts';
import { show } from '../api/calls.ts';
import type { MemberProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import { WAY_MS } from './calling.ts';
import type { ObserveLine, ObserveScript } from './line-scripts.ts';
import { StreamClient } from './stream-client.ts';

/** Answers under way to a client that does not read. */
const WINDOW = 3;
const SLOW_MS = 700;

type Answer = v3electionpb.LeaderResponse;

interface Stream {
  readonly abort: AbortController;
  readonly record: Observed;
  readonly process: MemberProcess;
}

export class ObserveClient extends StreamClient<ObserveLine, Stream> {
  readonly #records: Observed[];
  readonly #name: string;

  constructor(index: number, world: World, records: Observed[], { name }: ObserveScript) {
    super(`o${index + 1}`, index, world);
    this.#records = records;
    this.#name = name;
  }

  protected override act({ what }: ObserveLine): void {
    switch (what) {
      case 'slow':
        this.readMs = SLOW_MS;
        return;
      case 'quick':
        return this.readQuickly();
      case 'move':
        this.move(1);
    }
  }

  protected override open(process: MemberProcess): Stream | undefined {
    if (!process.election) return undefined;
    const record: Observed = { who: this.name, machine: this.at, name: this.#name, answers: [], isOver: false };
    return { abort: new AbortController(), record, process };
  }

  protected override opened(stream: Stream): void {
    const { process, record } = stream;
    this.#records.push(record);
    this.world.trace.note(this.name, `observes ${this.#name} at n${this.at + 1}`);
    process.gate.onDeath(() => this.broke(stream, 'the connection broke'));
    process.gate.enter(() => {
      const ends = process.election?.observe?.({ name: utf8(this.#name) }, this.#call(stream));
      (ends ?? Promise.reject(new Error('refused the connection'))).then(
        () => process.gate.enter(() => this.broke(stream, 'the member ended the stream')),
        (error: unknown) => process.gate.enter(() => this.broke(stream, messageOf(error))),
      );
    });
  }

  protected override close({ record, abort, process }: Stream): void {
    record.isOver = true;
    this.world.time.timers.after(WAY_MS, () => process.gate.enter(() => abort.abort(new Error('the client has gone'))));
  }

  /** The member's end of the stream: answers are under way one after the other, and it waits when the client reads none. */
  #call(stream: Stream): ServerStream<v3electionpb.LeaderRequest, Answer> {
    const underWay: Answer[] = [];
    let onRoom: (() => void)[] = [];
    let isReading = false;
    const read = (): void => {
      if (isReading || underWay.length === 0) return;
      isReading = true;
      this.world.time.timers.after(this.readMs, () => {
        isReading = false;
        const answer = underWay.shift();
        if (!answer || stream.record.isOver) return;
        this.world.trace.note(this.name, `hears ${show(answer)}`);
        stream.record.answers.push(answer);
        const woken = onRoom;
        onRoom = [];
        stream.process.gate.enter(() => woken.forEach((run) => run()));
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
