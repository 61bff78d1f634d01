// One request, one answer.
import type { Method } from '@distrokv/proto';
import { GrpcError } from '../status.ts';
import type { CallOptions } from '../types.ts';
import { MessageBuffer, PREFIX_BYTES, decodeResponse, frame, isOneMessage } from '../wire/framing.ts';
import { Call, type CallOwner } from './call.ts';
import type { ClientConnection } from './connection.ts';

export class UnaryCall extends Call {
  readonly #request: Uint8Array;
  readonly #resolve: (response: unknown) => void;
  readonly #reject: (error: GrpcError) => void;
  /** Only for an answer that did not come in one piece. */
  #buffer: MessageBuffer | undefined;
  #response: unknown;
  #hasResponse = false;

  constructor(
    owner: CallOwner,
    method: Method<unknown, unknown>,
    request: unknown,
    options: CallOptions,
    settle: { readonly resolve: (response: unknown) => void; readonly reject: (error: GrpcError) => void },
  ) {
    super(owner, method, options);
    this.#request = frame(method.request, request);
    this.#resolve = settle.resolve;
    this.#reject = settle.reject;
  }

  protected override get isRepeatable(): boolean {
    return true;
  }

  protected override onOpen(connection: ClientConnection): void {
    this.stream = connection.openStream(this, false);
    this.stream?.sendData(this.#request, true);
  }

  override onData(bytes: Uint8Array): void {
    if (bytes.length > 0) this.stream?.consume(bytes.length);
    if (this.over) return;
    try {
      if (
        this.#buffer === undefined &&
        !this.#hasResponse &&
        isOneMessage(bytes) &&
        bytes.length - PREFIX_BYTES <= this.owner.maxReceiveBytes
      ) {
        this.#take(bytes.subarray(PREFIX_BYTES), false);
        return;
      }
      const buffer = (this.#buffer ??= new MessageBuffer(this.owner.maxReceiveBytes, this));
      buffer.push(bytes);
      for (let message = buffer.next(); message !== undefined; message = buffer.next()) this.#take(message, true);
    } catch (error) {
      this.abandon(error as GrpcError);
    }
  }

  #take(message: Uint8Array, given: boolean): void {
    if (this.#hasResponse) throw new GrpcError('internal', 'the server sent more than one answer');
    this.#response = decodeResponse(this.method.response, message, given);
    this.#hasResponse = true;
  }

  protected override onEnd(error: GrpcError | undefined): void {
    if (error !== undefined) this.#reject(error);
    else if (this.#buffer?.isWithinMessage === true) this.#reject(new GrpcError('internal', 'the answer is cut off'));
    else if (!this.#hasResponse) this.#reject(new GrpcError('internal', 'the server sent no answer'));
    else this.#resolve(this.#response);
  }
}
