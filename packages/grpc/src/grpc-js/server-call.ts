// One call, as its handler sees it.
import type * as grpc from '@grpc/grpc-js';
import type { Timers } from '@distrokv/env';
import type { Method } from '@distrokv/proto';
import { Inbox } from '../inbox.ts';
import { Outbox } from '../outbox.ts';
import { GrpcError } from '../status.ts';
import type { Metadata, ServerCall, ServerStream } from '../types.ts';
import { asBuffer, decodeRequest } from './bytes.ts';
import { metadataOf } from './metadata.ts';
import type { CarrierStatus } from './status.ts';

export type UnaryCarrier = grpc.ServerUnaryCall<Buffer, Buffer>;
export type StreamCarrier = grpc.ServerDuplexStream<Buffer, Buffer>;

/** What a handler seldom asks for is made when it does: most calls need no AbortController. */
export class UnaryCall<Carrier extends UnaryCarrier | StreamCarrier = UnaryCarrier> implements ServerCall {
  protected readonly carrier: Carrier;
  #metadata: Metadata | undefined;
  #controller: AbortController | undefined;
  /** The handler is done: what happens now is no longer its business. */
  #answered = false;

  constructor(carrier: Carrier) {
    this.carrier = carrier;
  }

  get path(): string {
    return this.carrier.getPath();
  }

  get metadata(): Metadata {
    return (this.#metadata ??= metadataOf(this.carrier.metadata));
  }

  get peer(): string {
    return this.carrier.getPeer();
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      const abort = (): void => {
        if (!this.#answered) controller.abort(cancelled());
      };
      if (this.carrier.cancelled) abort();
      else this.carrier.once('cancelled', abort);
    }
    return this.#controller.signal;
  }

  /** The caller has gone, or its deadline has passed. */
  get cancelled(): boolean {
    return this.carrier.cancelled;
  }

  /** grpc-js says `cancelled` also when a call ends well; this tells the one from the other. */
  answered(): void {
    this.#answered = true;
  }
}

export class StreamCall<Request, Response> extends UnaryCall<StreamCarrier> implements ServerStream<Request, Response> {
  readonly requests: Inbox<Request>;
  readonly #outbox: Outbox;
  readonly #method: Method<Request, Response>;

  constructor(carrier: StreamCarrier, method: Method<Request, Response>, timers: Timers) {
    super(carrier);
    this.#method = method;
    this.requests = new Inbox<Request>(carrier, (bytes) => decodeRequest(method.request, bytes));
    this.#outbox = new Outbox(carrier);
    // A stream that is reset looks for a moment as if its caller had half-closed it, and a handler could take what came
    // so far for everything. Within the turn it is known to be cancelled.
    carrier.once('end', () => timers.defer(() => this.requests.close(undefined)));
    carrier.once('cancelled', () => {
      this.#outbox.close(cancelled());
      this.requests.close(cancelled());
    });
  }

  send(response: Response): boolean {
    return this.#outbox.send(asBuffer(this.#method.response.encode(response)));
  }

  writable(): Promise<void> {
    return this.#outbox.writable();
  }

  /** Ends the call: with OK, or with `status`, after what was sent. */
  end(status: CarrierStatus | undefined): void {
    if (this.cancelled) return;
    this.answered();
    if (status === undefined) this.#outbox.finish();
    else this.carrier.emit('error', status);
  }
}

function cancelled(): GrpcError {
  return new GrpcError('cancelled', 'the call was cancelled');
}
