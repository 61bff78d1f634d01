// Two seeded campaigns. `fuzzFrames`: what an honest peer could say, mutated, against a server or a client; whatever comes, the connection throws nothing, holds
// little, and sends whole frames. `fuzzPipe`: a client and a server of ours talk through a pipe that cuts bytes anywhere, and must agree on everything.
import assert from 'node:assert/strict';
import { type Random, seededRandom } from '@distrokv/base';
import {
  type ClientConnection,
  type Connection,
  type ConnectionHandler,
  createClientConnection,
  createServerConnection,
  HeaderBlock,
  type HeaderList,
  type Stream,
} from '../index.ts';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  framesOf,
  goaway,
  headers,
  join,
  literals,
  ping,
  PREFACE,
  rst,
  settings,
  settingsAck,
  windowUpdate,
} from './frames.ts';
import { request, response } from './probe.ts';

/** Dynamic table entries go in, and are used. */
const blocks: readonly Uint8Array[] = [
  literals(request),
  literals(response),
  Uint8Array.from(Buffer.from('828684410f7777772e6578616d706c652e636f6d', 'hex')),
  Uint8Array.from(Buffer.from('828684be58086e6f2d6361636865', 'hex')),
  Uint8Array.from(Buffer.from('8286848cf1e3c2e5f23a6ba0ab90f4ff', 'hex')),
  Uint8Array.from(Buffer.from('83868441882f91d35d055c87a784be5f8b1d75d0620d263d4c4d65647a8a9acac8b4c7602bb61c', 'hex')),
  Uint8Array.from(Buffer.from('885f8b1d75d0620d263d4c4d6564', 'hex')),
  Uint8Array.from(Buffer.from('88be40889acac8b21234da8f0130', 'hex')),
  literals(['grpc-status', '0']),
  Uint8Array.of(0x3f, 0xe1, 0x1f, 0x82),
  Uint8Array.of(0x20, 0x3f, 0x45, 0x88),
];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** One frame that could be honest, on one of a few streams. */
function someFrame(random: Random): Uint8Array {
  const id = random.chance(0.9) ? 1 + 2 * random.below(6) : random.below(12);
  const flags = random.chance(0.8) ? random.below(2) : random.below(256);
  switch (random.below(13)) {
    case 0:
    case 1:
    case 2:
      return frame('HEADERS', END_HEADERS | flags, id, pick(random, blocks));
    case 3:
      return headers(id, random.chance(0.5) ? request : response, flags & END_STREAM);
    case 4:
    case 5:
      return data(id, random.below(random.chance(0.02) ? 16_385 : 50), flags);
    case 6:
      return frame('HEADERS', flags & ~END_HEADERS, id, pick(random, blocks).subarray(0, random.below(10)));
    case 7:
      return frame('CONTINUATION', random.below(2) * END_HEADERS, id, pick(random, blocks));
    case 8:
      return windowUpdate(random.chance(0.3) ? 0 : id, random.chance(0.1) ? random.uint32() : random.below(70_000));
    case 9:
      return random.chance(0.5) ? settingsAck : settings([random.below(8), random.chance(0.5) ? random.uint32() : random.below(70_000)]);
    case 10:
      return rst(id, 'CANCEL');
    case 11:
      return random.chance(0.5) ? ping('12345678', random.below(2) * ACK) : goaway(id, 'NO_ERROR');
    default:
      return frame(random.below(12), flags, id, random.bytes(random.below(20)));
  }
}

/** Flips bits, changes lengths, cuts, doubles, inserts. */
function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const out = [...bytes];
  for (let n = random.below(4); n > 0 && out.length > 0; n--) {
    const at = random.below(out.length);
    switch (random.below(6)) {
      case 0:
        out[at] = (out[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        out[at] = random.below(256);
        break;
      case 2:
        out.splice(at, random.between(1, 5));
        break;
      case 3:
        out.splice(at, 0, ...random.bytes(random.below(5)));
        break;
      case 4:
        out[at] = pick(random, [0, 1, 0x7f, 0x80, 0xff]);
        break;
      default:
        out.push(...out.slice(at, at + 40));
    }
  }
  return Uint8Array.from(out);
}

/** What an honest peer says next, given what it has open. */
class HonestPeer {
  readonly #random: Random;
  readonly #isServer: boolean;
  /** Streams on which it may send data. */
  readonly #open: number[] = [];
  #next = 1;
  #left: number;

  /** `isServer`: the peer is a client, and opens streams; else it answers those from 1 to `opened`. */
  constructor(random: Random, isServer: boolean, opened: number) {
    this.#random = random;
    this.#isServer = isServer;
    this.#left = opened;
  }

  next(): Uint8Array {
    const random = this.#random;
    const id = this.#open.length > 0 ? pick(random, this.#open) : 0;
    switch (random.below(id === 0 ? 4 : 10)) {
      case 0:
      case 1:
        return this.#begin();
      case 2:
        return random.chance(0.5) ? ping() : settings([random.between(3, 4), random.below(70_000)]);
      case 3:
        return windowUpdate(0, random.between(1, 70_000));
      case 4:
        return windowUpdate(id, random.between(1, 70_000));
      case 5:
        return this.#end(id, rst(id, 'CANCEL'));
      case 6:
        return this.#end(id, headers(id, ['grpc-status', '0'], END_STREAM));
      case 7:
        return this.#end(id, data(id, random.below(300), END_STREAM));
      default:
        return data(id, random.below(random.chance(0.01) ? 16_385 : 300));
    }
  }

  #begin(): Uint8Array {
    if (!this.#isServer && this.#left-- <= 0) return ping();
    const id = this.#next;
    this.#next += 2;
    const block = literals(this.#isServer ? request : response);
    if (this.#random.chance(0.2)) return frame('HEADERS', END_HEADERS | END_STREAM, id, block);
    this.#open.push(id);
    if (this.#random.chance(0.7)) return frame('HEADERS', END_HEADERS, id, block);
    const cut = this.#random.below(block.length);
    return join(frame('HEADERS', 0, id, block.subarray(0, cut)), frame('CONTINUATION', END_HEADERS, id, block.subarray(cut)));
  }

  #end(id: number, last: Uint8Array): Uint8Array {
    this.#open.splice(this.#open.indexOf(id), 1);
    return last;
  }
}

/** How often each thing happened; the proof that a campaign reaches what it is to test. */
export interface FuzzCounts {
  inputs: number;
  headers: number;
  data: number;
  trailers: number;
  resets: number;
  streamErrors: number;
  connectionErrors: Map<number, number>;
}

/** Each input is a connection of its own: a handshake, some honest frames, and then anything: frames out of place, mutated ones, or all of it mutated. */
export function fuzzFrames(seed: number, inputs: number): FuzzCounts {
  const random = seededRandom(seed);
  const counts: FuzzCounts = { inputs, headers: 0, data: 0, trailers: 0, resets: 0, streamErrors: 0, connectionErrors: new Map() };
  for (let i = 0; i < inputs; i++) {
    const isServer = random.chance(0.6);
    const opened = isServer ? 0 : random.below(4);
    const honest = new HonestPeer(random, isServer, opened);
    const parts: Uint8Array[] = isServer ? [PREFACE, settings(), settingsAck] : [settings(), settingsAck];
    for (let n = random.below(10); n > 0; n--) parts.push(honest.next());
    const wild: Uint8Array[] = [];
    for (let n = random.below(4); n > 0; n--) wild.push(random.chance(0.5) ? someFrame(random) : honest.next());
    const bytes = random.chance(0.1) ? mutate(random, join(...parts, ...wild)) : join(...parts, mutate(random, join(...wild)));
    oneInput(random, isServer, opened, bytes, counts);
  }
  return counts;
}

function oneInput(random: Random, isServer: boolean, opened: number, bytes: Uint8Array, counts: FuzzCounts): void {
  let events = 0;
  const closedStreams = new Set<Stream>();
  const act = (stream: Stream): void => {
    events++;
    assert.ok(!closedStreams.has(stream), 'no event after the last');
    switch (random.below(12)) {
      case 0:
        stream.sendHeaders(response);
        break;
      case 1:
        stream.sendData(new Uint8Array(random.below(30_000)), random.chance(0.3));
        break;
      case 2:
        stream.sendHeaders(['grpc-status', '0'], true);
        break;
      case 3:
        stream.reset(8);
        closedStreams.add(stream);
        break;
      case 4:
        stream.consume(random.below(20_000));
        break;
      default:
    }
  };
  const handler: ConnectionHandler = {
    onHeaders(stream) {
      counts.headers++;
      act(stream);
    },
    onInformational: act,
    onData(stream, part) {
      counts.data++;
      stream.consume(part.length);
      act(stream);
    },
    onTrailers(stream) {
      counts.trailers++;
      act(stream);
    },
    onReset(stream, { by }) {
      assert.ok(!closedStreams.has(stream));
      closedStreams.add(stream);
      counts.resets++;
      if (by === 'local') counts.streamErrors++;
    },
    onStreamEnd: (stream) => closedStreams.add(stream),
    onOutput: () => events++,
    onClose(error) {
      events++;
      if (error?.code === 'protocol') counts.connectionErrors.set(error.wire, (counts.connectionErrors.get(error.wire) ?? 0) + 1);
    },
  };
  const connection: Connection | ClientConnection = isServer ? createServerConnection(handler) : createClientConnection(handler);
  for (let n = 0; n < opened; n++) (connection as ClientConnection).openStream(request, random.chance(0.5), undefined);
  for (let at = 0; at < bytes.length;) {
    const n = random.chance(0.5) ? bytes.length - at : random.between(1, 40);
    connection.receive(bytes.subarray(at, at + n));
    at += n;
  }
  assert.ok(events < 1000 + bytes.length, 'work in proportion to what came');
  assert.ok(connection.outputBytes < (1 << 20) + 40 * bytes.length);
  connection.tick(1);
  const chunks: Uint8Array[] = [];
  for (let more = connection.takeOutput(); more.length > 0; more = connection.takeOutput()) chunks.push(...more);
  framesOf(join(...chunks).subarray(isServer ? 0 : PREFACE.length)); // Throws unless these are whole frames.
  if (!connection.closed) connection.disconnected(undefined);
  assert.equal(connection.openStreams, 0);
}

/** What one side has sent on a stream, or the other has got. */
interface Said {
  headers: HeaderList | undefined;
  bytes: number;
  sum: number;
  ended: boolean;
  reset: boolean;
}

const nothingSaid = (): Said => ({ headers: undefined, bytes: 0, sum: 0, ended: false, reset: false });

function addTo(said: Said, bytes: Uint8Array): void {
  for (const byte of bytes) said.sum = (said.sum * 31 + byte + 1) % 1_000_000_007;
  said.bytes += bytes.length;
}

/** Our client and our server through a pipe that cuts anywhere; what each says reaches the other, all of it, once, in order. */
export function fuzzPipe(seed: number): { readonly calls: number; readonly bytes: number } {
  const random = seededRandom(seed);
  const small = random.chance(0.5);
  const options = {
    streamWindowBytes: small ? random.between(1, 3000) : 256 << 10,
    maxStreamWindowBytes: small ? random.between(1, 3000) : 1 << 20,
    outputBytes: random.between(1, 100_000),
    maxConcurrentStreams: random.between(1, 20),
    headerTableBytes: pick(random, [0, 60, 200, 4096, 10_000]),
    encoderTableBytes: pick(random, [0, 60, 200, 4096, 10_000]),
    maxFrameSize: pick(random, [16_384, 50_000]),
    nuisanceBurst: 1e9,
  };
  const requests = new Map<number, readonly [sent: Said, got: Said]>();
  const answers = new Map<number, readonly [sent: Said, got: Said]>();
  const entry = (map: typeof requests, id: number): readonly [Said, Said] => {
    const found = map.get(id) ?? [nothingSaid(), nothingSaid()];
    map.set(id, found);
    return found;
  };
  /** Opened before the client knew how many it may have open. */
  const refused = new Set<number>();
  const writers: (() => boolean)[] = [];
  const body = new Uint8Array(40_000).map((_, i) => i % 251);
  const newBlock = (): HeaderBlock => new HeaderBlock(['x-kind', String(random.below(5)), 'x-text', 'ä'.repeat(random.below(30))]);
  const common = Array.from({ length: 5 }, newBlock);

  /** Says a random amount on a stream, a piece at a time, and then ends it. */
  const speak = (stream: Stream, said: Said, canTrail: boolean): void => {
    let pieces = random.below(6);
    writers.push(() => {
      if (stream.closed) return false;
      if (pieces-- > 0) {
        const at = random.below(body.length);
        const piece = body.slice(at, at + random.below(random.chance(0.2) ? 40_000 : 300));
        addTo(said, piece);
        stream.sendData(piece);
        return true;
      }
      said.ended = true;
      if (canTrail && random.chance(0.5)) stream.sendHeaders(pick(random, common), true, ['x-n', String(random.below(1000))]);
      else stream.sendData(new Uint8Array(0), true);
      return false;
    });
  };
  const hears = (map: typeof requests): Pick<ConnectionHandler, 'onData' | 'onReset' | 'onTrailers'> => ({
    onData(stream, bytes, ends) {
      const [, got] = entry(map, stream.id);
      addTo(got, bytes);
      got.ended ||= ends;
      stream.consume(bytes.length);
    },
    onTrailers(stream) {
      entry(map, stream.id)[1].ended = true;
    },
    onReset(stream, { by, message, unprocessed }) {
      assert.notEqual(by, 'local', message);
      if (unprocessed) refused.add(stream.id);
      for (const each of [requests, answers]) for (const said of entry(each, stream.id)) said.reset = true;
    },
  });
  const mustNotFail: ConnectionHandler['onClose'] = (error) => assert.equal(error?.message, undefined);

  const server = createServerConnection(
    {
      ...hears(requests),
      onHeaders(stream, list, ends) {
        const [, got] = entry(requests, stream.id);
        got.headers = list;
        got.ended = ends;
        const [said] = entry(answers, stream.id);
        const block = pick(random, common);
        const extra = random.chance(0.5) ? ['x-extra', String(random.below(50))] : [];
        said.headers = [...response, ...block.list, ...extra];
        stream.sendHeaders(said.headers);
        speak(stream, said, true);
      },
      onOutput: () => undefined,
      onClose: mustNotFail,
    },
    options,
  );
  const client = createClientConnection(
    {
      ...hears(answers),
      onHeaders(stream, list, ends) {
        const [, got] = entry(answers, stream.id);
        got.headers = list;
        got.ended = ends;
      },
      onOutput: () => undefined,
      onClose: mustNotFail,
    },
    options,
  );

  /** Moves some of what one side has to say; true if there was anything. */
  const pipe = (from: Connection, to: Connection, waiting: Uint8Array[]): boolean => {
    if (random.chance(0.7)) waiting.push(...from.takeOutput());
    if (waiting.length === 0) return from.outputBytes > 0;
    const bytes = join(...waiting.splice(0));
    const n = random.chance(0.5) ? bytes.length : random.between(1, bytes.length);
    to.receive(bytes.slice(0, n));
    if (n < bytes.length) waiting.push(bytes.subarray(n));
    return true;
  };
  const up: Uint8Array[] = [];
  const down: Uint8Array[] = [];
  let left = random.between(1, 40);
  const blocksOfRequests = common.map(({ list }) => new HeaderBlock([...request, ...list]));
  for (let idle = 0, steps = 0; idle < 20; steps++) {
    assert.ok(steps < 200_000, 'it comes to an end');
    let busy = false;
    if (left > 0 && random.chance(0.3)) {
      const block = pick(random, blocksOfRequests);
      const extra = random.chance(0.5) ? ['x-extra', String(random.below(50))] : [];
      const stream = client.openStream(random.chance(0.5) ? block : block.list, false, undefined, extra);
      if (stream !== undefined) {
        left--;
        const [said] = entry(requests, stream.id);
        said.headers = [...block.list, ...extra];
        speak(stream, said, true);
      }
    }
    if (writers.length > 0 && random.chance(0.5)) {
      const at = random.below(writers.length);
      busy = true;
      if (!(writers[at] as () => boolean)()) writers.splice(at, 1);
    }
    busy = pipe(client, server, up) || busy;
    busy = pipe(server, client, down) || busy;
    idle = busy || left > 0 ? 0 : idle + 1;
  }
  let bytes = 0;
  for (const map of [requests, answers]) {
    for (const [id, [said, got]] of map) {
      if (refused.has(id)) {
        assert.deepEqual(got, { ...nothingSaid(), reset: true }, `refused stream ${id} was never seen`);
        continue;
      }
      // A server that has answered cuts off the rest of the request: then a part of it came, or all.
      if (map === requests && got.bytes !== said.bytes) assert.ok(got.bytes < said.bytes && !got.ended, `request ${id}`);
      else
        assert.deepEqual({ ...got, reset: false }, { ...said, reset: false, ended: map === requests ? got.ended : true }, `stream ${id}`);
      bytes += got.bytes;
    }
  }
  assert.equal(server.openStreams, 0);
  assert.equal(client.openStreams, 0);
  client.shutdown();
  for (const chunk of client.takeOutput()) server.receive(chunk);
  assert.equal(client.closed, true);
  return { calls: requests.size, bytes };
}
