// A socket of env as a stream of Node's, which is what node:http takes for a connection.
import { Duplex } from 'node:stream';
import type { Socket, SocketEvents } from '@distrokv/env';

export class SocketStream extends Duplex implements SocketEvents {
  /** As node:http tells it to handlers. */
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  readonly #socket: Socket;
  #onDrain: (() => void) | undefined;
  #closed = false;

  /** Takes the socket over; `received` came before. */
  constructor(socket: Socket, received: Uint8Array) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.remoteAddress = socket.remote;
    this.encrypted = socket.tls !== undefined;
    socket.open(this);
    if (received.length > 0) this.onData(received);
  }

  onData(bytes: Uint8Array): void {
    if (!this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) this.#socket.pause();
  }

  onDrain(): void {
    const done = this.#onDrain;
    this.#onDrain = undefined;
    done?.();
  }

  onEnd(): void {
    this.push(null);
  }

  onClose(error: Error | undefined): void {
    this.#closed = true;
    this.destroy(error);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    if (this.#socket.write(bytes)) done();
    else if (this.#closed) done();
    else this.#onDrain = done;
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#closed) this.#socket.destroy();
    this.onDrain();
    done(error);
  }
}
