// One streaming call, as its caller sees it.
import type * as grpc from '@grpc/grpc-js';
import type { Method } from '@distrokv/proto';
import { Inbox } from '../inbox.ts';
import { Outbox } from '../outbox.ts';
import { GrpcError } from '../status.ts';
import type { ClientStream } from '../types.ts';
import { asBuffer, decodeResponse } from './bytes.ts';
import { errorOf } from './status.ts';

export class OutgoingStream<Request, Response> implements ClientStream<Request, Response> {
  readonly responses: Inbox<Response>;
  readonly #carrier: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #method: Method<Request, Response>;
  readonly #outbox: Outbox;

  /** Calls `onEnd` when the call is over. */
  constructor(carrier: grpc.ClientDuplexStream<Buffer, Buffer>, method: Method<Request, Response>, onEnd: () => void) {
    this.#carrier = carrier;
    this.#method = method;
    this.#outbox = new Outbox(carrier);
    this.responses = new Inbox<Response>(carrier, (bytes) => this.#decode(bytes));
    // The status tells all that an error does, and comes after it.
    carrier.on('error', () => undefined);
    carrier.on('status', (status: grpc.StatusObject) => {
      onEnd();
      const error = status.code === 0 ? undefined : errorOf(status);
      this.#outbox.close(error ?? new GrpcError('cancelled', 'the call has ended'));
      this.responses.close(error);
    });
  }

  send(request: Request): boolean {
    return this.#outbox.send(asBuffer(this.#method.request.encode(request)));
  }

  writable(): Promise<void> {
    return this.#outbox.writable();
  }

  finish(): void {
    this.#outbox.finish();
  }

  cancel(): void {
    this.#carrier.cancel();
  }

  /** A response that is none ends the call: nothing after it could be trusted. */
  #decode(bytes: Uint8Array): Response {
    try {
      return decodeResponse(this.#method.response, bytes);
    } catch (thrown) {
      this.#carrier.cancel();
      throw thrown;
    }
  }
}
