// One connection under test, and its peer by hand: frames go in, whole or byte by byte, and what comes of it is kept as lines.
import assert from 'node:assert/strict';
import {
  type ClientConnection,
  type Connection,
  type ConnectionHandler,
  type ConnectionOptions,
  createClientConnection,
  createServerConnection,
  errorName,
  type HeaderList,
  type Http2Error,
  type Stream,
} from '../index.ts';
import { framesOf, headers, join, lineOf, PREFACE, settings, settingsAck, type Frame } from './frames.ts';

export const request: HeaderList = [':method', 'POST', ':scheme', 'http', ':path', '/a', ':authority', 'x'];
export const response: HeaderList = [':status', '200'];

export interface ProbeOptions extends ConnectionOptions {
  /** Hand in what is sent byte by byte (default: all at once). */
  readonly bytewise?: boolean;
  /** Consume what comes at once (default true). */
  readonly consumes?: boolean;
}

export class Probe {
  readonly connection: Connection | ClientConnection;
  /** What the handler was told, as lines, since the last look. */
  #events: string[] = [];
  readonly streams: Map<number, Stream> = new Map<number, Stream>();
  /** Called within each event, after it is noted. */
  onEvent: ((stream: Stream, event: string) => void) | undefined;
  readonly #bytewise: boolean;
  readonly #role: 'client' | 'server';
  outputs: number = 0;
  error: Http2Error | undefined;
  receivedBytes: number = 0;

  constructor(role: 'client' | 'server', { bytewise = false, consumes = true, ...options }: ProbeOptions = {}) {
    this.#bytewise = bytewise;
    this.#role = role;
    const note = (stream: Stream, event: string): void => {
      this.streams.set(stream.id, stream);
      this.#events.push(`${event.split(' ')[0]} ${stream.id}${event.slice(event.split(' ')[0]?.length)}`);
      this.onEvent?.(stream, event);
    };
    const end = (ends: boolean): string => (ends ? ' end' : '');
    const handler: ConnectionHandler = {
      onHeaders: (stream, list, ends) => note(stream, `headers ${list.length / 2}${end(ends)}`),
      onInformational: (stream, list) => note(stream, `informational ${list[1]}`),
      onData: (stream, bytes, ends) => {
        this.receivedBytes += bytes.length;
        if (consumes) stream.consume(bytes.length);
        note(stream, `data ${bytes.length}${end(ends)}`);
      },
      onTrailers: (stream, list) => note(stream, `trailers ${list.length / 2}`),
      onReset: (stream, { code, by, unprocessed }) => note(stream, `reset ${errorName(code)} by ${by}${unprocessed ? ' unprocessed' : ''}`),
      onWritable: (stream) => note(stream, 'writable'),
      onStreamEnd: (stream) => note(stream, 'done'),
      onGoaway: (code, debug) => this.#events.push(`goaway ${errorName(code)} ${Buffer.from(debug).toString()}`),
      onPong: (opaque) => this.#events.push(`pong ${opaque}`),
      onCapacity: () => this.#events.push('capacity'),
      onExhausted: () => this.#events.push('exhausted'),
      onOutput: () => this.outputs++,
      onClose: (error) => {
        this.error = error;
        this.#events.push(error === undefined ? 'close' : `close ${error.code} ${error.wire === 0 ? '' : errorName(error.wire)}`.trimEnd());
      },
    };
    this.connection = role === 'server' ? createServerConnection(handler, options) : createClientConnection(handler, options);
  }

  /** A connection whose handshake is done. */
  static ready(role: 'client' | 'server', options: ProbeOptions = {}): Probe {
    const probe = new Probe(role, options);
    probe.send(...(role === 'server' ? [PREFACE] : []), settings(), settingsAck);
    probe.frames();
    probe.events();
    return probe;
  }

  get client(): ClientConnection {
    assert.ok('openStream' in this.connection);
    return this.connection;
  }

  send(...frames: readonly Uint8Array[]): this {
    const bytes = join(...frames);
    if (!this.#bytewise) this.connection.receive(bytes);
    // A buffer of its own for each byte, spoilt after the call: nobody may keep it.
    else {
      for (const byte of bytes) {
        const one = Uint8Array.of(byte);
        this.connection.receive(one);
        one[0] = 0xee;
      }
    }
    bytes.fill(0xee);
    return this;
  }

  /** What went out since the last look. */
  frames(): Frame[] {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const more = this.connection.takeOutput();
      if (more.length === 0) break;
      chunks.push(...more);
    }
    let bytes = join(...chunks);
    if (Buffer.from(bytes.subarray(0, PREFACE.length)).equals(PREFACE)) bytes = bytes.subarray(PREFACE.length);
    return framesOf(bytes);
  }

  lines(): string[] {
    return this.frames().map(lineOf);
  }

  events(): string[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  stream(id: number): Stream {
    const stream = this.streams.get(id);
    assert.ok(stream !== undefined, `stream ${id}`);
    return stream;
  }

  /** A request on stream `id` (server), or a request of ours and the answer's first headers (client). */
  open(id = 1, flags = 0): Stream {
    if (this.#role === 'client') {
      const stream = this.client.openStream(request, flags !== 0, undefined);
      assert.ok(stream !== undefined);
      this.streams.set(stream.id, stream);
      this.send(headers(stream.id, response));
      this.frames();
      this.events();
      return stream;
    }
    this.send(headers(id, request, flags));
    this.frames();
    this.events();
    return this.stream(id);
  }

  /** The connection has ended with GOAWAY and `code`, and nothing else was answered. */
  assertConnectionError(code: string, last?: number): void {
    const lines = this.lines().filter((line) => !line.startsWith('WINDOW_UPDATE') && line !== 'SETTINGS ACK');
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] as string, new RegExp(`^GOAWAY ${last ?? '[0-9]+'} ${code}$`));
    assert.ok(this.connection.closed);
    assert.deepEqual(this.events().slice(-1), [`close protocol ${code === 'NO_ERROR' ? '' : code}`]);
    this.send(headers(99, request));
    assert.deepEqual([this.lines(), this.events()], [[], []], 'nothing happens after the end');
  }

  /** The stream has ended with RST_STREAM and `code`; others go on. */
  assertStreamError(id: number, code: string): void {
    const lines = this.lines().filter((line) => !line.startsWith('WINDOW_UPDATE'));
    assert.deepEqual(lines, [`RST_STREAM ${id} ${code}`]);
    this.assertAlive();
  }

  /** Nothing was answered, and the connection goes on. */
  assertFine(): void {
    assert.deepEqual(this.lines(), []);
    this.assertAlive();
  }

  assertAlive(): void {
    assert.equal(this.connection.closed, false);
    this.send(settings()).events();
    assert.deepEqual(this.lines(), ['SETTINGS ACK']);
  }
}
