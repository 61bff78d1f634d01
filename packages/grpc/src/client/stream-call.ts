// A call with many messages on one side or both, as its caller sees it.
import type { Method } from '@distrokv/proto';
import { Inbox } from '../inbox.ts';
import { Outbox } from '../outbox.ts';
import { GrpcError } from '../status.ts';
import type { CallOptions, ClientStream } from '../types.ts';
import { MessageBuffer, decodeResponse, frame } from '../wire/framing.ts';
import { Call, type CallOwner } from './call.ts';
import type { ClientConnection } from './connection.ts';

/** As much as a stream of HTTP/2 takes before it says that it is enough. */
const MAX_EARLY_BYTES = 1 << 20;

export class StreamCall extends Call implements ClientStream<unknown, unknown> {
  readonly responses: Inbox<unknown>;
  readonly #outbox = new Outbox();
  /** What was sent before there was a stream. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #finished = false;

  constructor(owner: CallOwner, method: Method<unknown, unknown>, options: CallOptions) {
    super(owner, method, options);
    this.responses = new Inbox({
      buffer: new MessageBuffer(owner.maxReceiveBytes, this),
      decode: (bytes) => decodeResponse(method.response, bytes, true),
      consume: (bytes) => this.stream?.consume(bytes),
      onBroken: (error) => this.abandon(error),
    });
  }

  protected override get isRepeatable(): boolean {
    return false;
  }

  protected override onOpen(connection: ClientConnection): void {
    const stream = connection.openStream(this, false);
    if (stream === undefined) return;
    this.stream = stream;
    let hasRoom = true;
    for (const bytes of this.#early) hasRoom = stream.sendData(bytes);
    this.#early = [];
    if (this.#finished) stream.sendData(NOTHING, true);
    if (hasRoom) this.#outbox.drained();
    else this.#outbox.sent(false);
  }

  send(request: unknown): boolean {
    if (this.over || this.#finished) return false;
    const bytes = frame(this.method.request, request, this.owner.buffers.allocate);
    if (this.stream !== undefined) return this.#outbox.sent(this.stream.sendData(bytes));
    this.#early.push(bytes);
    this.#earlyBytes += bytes.length;
    return this.#outbox.sent(this.#earlyBytes < MAX_EARLY_BYTES);
  }

  override onData(bytes: Uint8Array): void {
    if (bytes.length > 0) this.responses.push(bytes);
  }

  override onWritable(): void {
    this.#outbox.drained();
  }

  writable(): Promise<void> {
    return this.#outbox.writable();
  }

  finish(): void {
    if (this.over || this.#finished) return;
    this.#finished = true;
    this.stream?.sendData(NOTHING, true);
  }

  protected override onEnd(error: GrpcError | undefined): void {
    this.#early = [];
    this.#outbox.close(error ?? new GrpcError('cancelled', 'the call has ended'));
    this.responses.close(error);
  }
}

const NOTHING = new Uint8Array(0);
