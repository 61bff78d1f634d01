// A watch stream between a simulated client and a member: requests one way, framed responses the other, with a window that fills when the client
// reads slowly. It breaks when the process dies, and ends when the client goes.
import { messageOf } from '@distrokv/base';
import { GrpcError, type ServerStream } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { serverCall } from '../api/asking.ts';
import type { MemberProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import { WAY_MS } from './calling.ts';

/** Bytes under way to a client that does not read. */
const WINDOW_BYTES = 2000;
const FRAME_BYTES = 5;

export interface WatchStreamOptions {
  readonly world: World;
  readonly process: MemberProcess;
  /** Before each response that the client reads. */
  readonly readMs: () => number;
  readonly onResponse: (response: pb.WatchResponse) => void;
  /** It broke, or the member ended it. */
  readonly onEnd: (why: string) => void;
}

export class WatchStream {
  readonly #options: WatchStreamOptions;
  readonly #abort = new AbortController();
  readonly #requests: pb.WatchRequest[] = [];
  #onRequest: () => void = () => {};
  #underWay: Uint8Array[] = [];
  #bytes = 0;
  #isReading = false;
  #onRoom: (() => void)[] = [];
  #isOver = false;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    const { process } = options;
    const { watch } = process.watch ?? {};
    process.gate.onDeath(() => this.#end('the connection broke'));
    const ends = watch?.(this.#call()) ?? Promise.reject(new Error('refused the connection'));
    ends.then(
      () => this.#end('the member ended the stream'),
      (error: unknown) => process.gate.enter(() => this.#end(messageOf(error))),
    );
  }

  send(request: pb.WatchRequest['requestUnion']): void {
    this.#later(() => {
      this.#requests.push(pb.WatchRequest.create({ requestUnion: request }));
      this.#onRequest();
    });
  }

  /** The client goes. */
  close(): void {
    this.#isOver = true;
    this.#later(() => {
      this.#abort.abort();
      this.#onRequest();
    });
  }

  #later(run: () => void): void {
    const { world, process } = this.#options;
    world.time.timers.after(WAY_MS, () => process.gate.enter(run));
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.world.time.timers.after(WAY_MS, () => this.#options.onEnd(why));
  }

  #call(): ServerStream<pb.WatchRequest, pb.WatchResponse> {
    return {
      ...serverCall(this.#abort.signal),
      requests: this.#take(),
      send: () => {
        throw new Error('a watch stream sends frames');
      },
      sendFramed: (messages) => this.#sent(messages),
      memory: { allocate: () => undefined, share: () => {}, giveBack: () => {} },
      writable: () => new Promise((resolve) => (this.#bytes < WINDOW_BYTES ? resolve() : this.#onRoom.push(resolve))),
    };
  }

  async *#take(): AsyncGenerator<pb.WatchRequest> {
    while (!this.#abort.signal.aborted) {
      const request = this.#requests.shift();
      if (request) yield request;
      else await new Promise<void>((resolve) => (this.#onRequest = resolve));
    }
    throw new GrpcError('cancelled', 'context canceled');
  }

  /** Takes messages apart as they are on the wire: a flag, a length of four bytes, and the message. */
  #sent(messages: Uint8Array): boolean {
    if (this.#isOver) return false;
    const bytes = Buffer.from(messages);
    for (let at = 0; at < bytes.length;) {
      const end = at + FRAME_BYTES + bytes.readUInt32BE(at + 1);
      this.#underWay.push(bytes.subarray(at + FRAME_BYTES, end));
      this.#bytes += end - at;
      at = end;
    }
    this.#read();
    return this.#bytes < WINDOW_BYTES;
  }

  /** One response after the other. */
  #read(): void {
    if (this.#isReading || this.#underWay.length === 0) return;
    this.#isReading = true;
    const { world, process, readMs, onResponse } = this.#options;
    world.time.timers.after(readMs(), () => {
      this.#isReading = false;
      if (this.#isOver) return;
      const bytes = this.#underWay.shift() as Uint8Array;
      this.#bytes -= bytes.length + FRAME_BYTES;
      onResponse(pb.WatchResponse.decode(bytes));
      if (this.#bytes < WINDOW_BYTES && this.#onRoom.length > 0)
        process.gate.enter(() => {
          for (const run of this.#onRoom.splice(0)) run();
        });
      this.#read();
    });
  }
}
