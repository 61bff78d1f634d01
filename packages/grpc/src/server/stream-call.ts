// A call with many messages on one side or both. All three kinds are served as the most general one, which is the same on the wire.
import type { Stream } from '@distrokv/http2';
import { Inbox } from '../inbox.ts';
import { Outbox } from '../outbox.ts';
import type { GrpcError } from '../status.ts';
import type { MessageMemory, ServerStream } from '../types.ts';
import { MessageBuffer, decodeRequest, frame } from '../wire/framing.ts';
import { Call, type CallHost, CANCELLED } from './call.ts';
import type { CallRequest } from './request.ts';
import type { Route } from './router.ts';
import { notOne } from './unary-call.ts';

export type StreamRoute = Exclude<Route, { kind: 'unary' }>;

export class StreamCall extends Call implements ServerStream<unknown, unknown> {
  readonly requests: Inbox<unknown>;
  readonly #route: StreamRoute;
  readonly #outbox = new Outbox();

  constructor(host: CallHost, request: CallRequest, stream: Stream, route: StreamRoute) {
    super(host, request, stream);
    this.#route = route;
    this.requests = new Inbox({
      buffer: new MessageBuffer(host.maxReceiveBytes, request),
      decode: (bytes) => decodeRequest(route.method.request, bytes, true),
      consume: (bytes) => stream.consume(bytes),
      onBroken: (error) => this.#end(error),
    });
  }

  /** Runs the handler; the call ends when it does. */
  run(): void {
    this.#serve().then(
      () => this.#end(undefined),
      (thrown: unknown) => this.#end(thrown),
    );
  }

  override onData(bytes: Uint8Array, endStream: boolean): void {
    if (this.over) {
      this.stream.consume(bytes.length);
      return;
    }
    if (bytes.length > 0) this.requests.push(bytes);
    if (endStream) this.requests.close(undefined);
  }

  override onWritable(): void {
    this.#outbox.drained();
  }

  send(response: unknown): boolean {
    return !this.over && this.sendFramed(frame(this.#route.method.response, response, this.host.memory.allocate));
  }

  sendFramed(messages: Uint8Array): boolean {
    if (this.over || !this.#begin()) return false;
    return this.#outbox.sent(this.stream.sendData(messages));
  }

  get memory(): MessageMemory {
    return this.host.memory;
  }

  writable(): Promise<void> {
    return this.#outbox.writable();
  }

  protected override onCancelled(why: GrpcError): void {
    this.#outbox.close(why);
    this.requests.abort(why);
  }

  async #serve(): Promise<void> {
    const route = this.#route;
    if (route.kind === 'bidi-stream') return route.handler(this);
    if (route.kind === 'client-stream') {
      this.send(await route.handler(this));
      return;
    }
    const { done, value } = await this.requests.next();
    if (done === true) throw notOne(this.path, 'none');
    return route.handler(value, this);
  }

  /** False, and the call is over, if the caller does not take our headers. */
  #begin(): boolean {
    try {
      this.start();
      return true;
    } catch (error) {
      this.#end(error);
      return false;
    }
  }

  #end(thrown: unknown): void {
    if (this.over) return;
    if (thrown !== undefined) this.fail(thrown);
    else if (this.#begin()) this.succeed();
    this.#outbox.close(CANCELLED);
    this.requests.abort(CANCELLED);
  }
}
