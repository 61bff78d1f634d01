// One request, one answer: the path that most calls take, and so the one that is short.
import type { Stream } from '@distrokv/http2';
import { GrpcError } from '../status.ts';
import { MessageBuffer, PREFIX_BYTES, decodeRequest, frame, isOneMessage, tooLarge } from '../wire/framing.ts';
import { Call, type CallHost } from './call.ts';
import type { CallRequest } from './request.ts';
import type { Route } from './router.ts';

type UnaryRoute = Extract<Route, { kind: 'unary' }>;

export class UnaryCall extends Call {
  readonly #route: UnaryRoute;
  /** Only for a request that did not come in one piece. */
  #buffer: MessageBuffer | undefined;

  constructor(host: CallHost, request: CallRequest, stream: Stream, route: UnaryRoute) {
    super(host, request, stream);
    this.#route = route;
  }

  override onData(bytes: Uint8Array, endStream: boolean): void {
    // Room is given back at once: there is a limit on the message.
    if (bytes.length > 0) this.stream.consume(bytes.length);
    if (this.over) return;
    try {
      if (endStream && this.#buffer === undefined && isOneMessage(bytes)) {
        if (bytes.length - PREFIX_BYTES > this.host.maxReceiveBytes) throw tooLarge(bytes.length - PREFIX_BYTES, this.host.maxReceiveBytes);
        this.#serve(bytes.subarray(PREFIX_BYTES), false);
        return;
      }
      this.#gather(bytes, endStream);
    } catch (error) {
      this.fail(error);
    }
  }

  #gather(bytes: Uint8Array, endStream: boolean): void {
    const buffer = (this.#buffer ??= new MessageBuffer(this.host.maxReceiveBytes, this.request));
    buffer.push(bytes);
    if (!endStream) {
      // What can never be a request is refused before the rest of it has come.
      if (buffer.hasMessage && buffer.bytes > this.host.maxReceiveBytes + PREFIX_BYTES) throw notOne(this.path, 'more than one');
      return;
    }
    const message = buffer.next();
    if (message === undefined)
      throw buffer.isWithinMessage ? new GrpcError('internal', 'the request is cut off') : notOne(this.path, 'none');
    if (buffer.isWithinMessage) throw notOne(this.path, 'more than one');
    this.#buffer = undefined;
    this.#serve(message, true);
  }

  #serve(message: Uint8Array, given: boolean): void {
    const { method, handler } = this.#route;
    const result = handler(decodeRequest(method.request, message, given), this);
    // A handler that has its answer at once gets it sent in the same turn.
    if (result instanceof Promise) {
      result.then(
        (response) => this.#answer(response),
        (thrown: unknown) => this.fail(thrown),
      );
    } else this.#answer(result);
  }

  #answer(response: unknown): void {
    if (this.over) return;
    try {
      const bytes = frame(this.#route.method.response, response, this.host.memory.allocate);
      this.start();
      this.stream.sendData(bytes);
    } catch (error) {
      this.fail(error); // it cannot be encoded, or the caller does not take our headers
      return;
    }
    this.succeed();
  }
}

export function notOne(path: string, how: string): GrpcError {
  return new GrpcError('unimplemented', `${path} takes one request, and got ${how}`);
}
