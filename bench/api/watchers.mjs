// Many watchers on a few connections, as light as can be: HTTP/2 frames straight off the socket, and of each event no more is read than is
// asked for. One stream on each connection carries an equal part of the watchers.
import net from 'node:net';
import { etcdserverpb as pb } from '@distrokv/proto';
import { PREFACE, frame, literal } from '../wire/frames.mjs';

const WINDOW_GROWN_BYTES = 1 << 20;

const windowUpdate = (stream, bytes) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(8, 0, stream, payload);
};

/**
 * Opens the watchers and resolves when all are created. `ranges`: a `{ key, rangeEnd?, startRevision? }` for each. `onEvent(value)`, if it is given, gets
 * the value of each put as a view of what was received; with `sampleEvery`, those of so many watchers of a stream only of one.
 */
export async function openWatchers(target, ranges, { conns = 10, onEvent, sampleEvery = 1 } = {}) {
  const state = { created: 0, events: 0, responses: 0, bytes: 0, onCreated: () => {}, onEvents: () => {} };
  const sockets = [];
  const size = Math.ceil(ranges.length / conns);
  for (let i = 0; i < ranges.length; i += size)
    sockets.push(await connect(target, ranges.slice(i, i + size), { state, onEvent, sampleEvery }));
  await new Promise((resolve) => {
    state.onCreated = () => state.created >= ranges.length && resolve();
    state.onCreated();
  });
  return {
    state,
    close: () => {
      for (const socket of sockets) {
        socket.removeAllListeners('close');
        socket.destroy();
      }
    },
  };
}

async function connect(target, ranges, options) {
  const [host, port] = target.split(':');
  const socket = net.connect(Number(port), host);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.setNoDelay(true);
  socket.on('close', () => {
    throw new Error(`${target} closed a connection of watchers`);
  });
  const settings = Buffer.from([0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
  const headers = [
    Buffer.from([0x83, 0x86]),
    literal(':path', '/etcdserverpb.Watch/Watch'),
    literal(':authority', target),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ];
  socket.write(Buffer.concat([PREFACE, frame(4, 0, 0, settings), windowUpdate(0, 0x7fff0000), frame(1, 4, 1, Buffer.concat(headers))]));
  const reader = new Reader(socket, options);
  const requests = ranges.map((range) => {
    const body = pb.WatchRequest.encode({ requestUnion: { case: 'createRequest', value: pb.WatchCreateRequest.create(range) } });
    const message = Buffer.alloc(5 + body.length);
    message.writeUInt32BE(body.length, 1);
    message.set(body, 5);
    return message;
  });
  reader.send(Buffer.concat(requests));
  return socket;
}

class Reader {
  constructor(socket, { state, onEvent, sampleEvery }) {
    this.socket = socket;
    this.state = state;
    this.onEvent = onEvent;
    this.sampleEvery = sampleEvery;
    this.rest = undefined;
    this.unread = undefined;
    this.received = 0;
    this.window = 65_535;
    this.streamWindow = 65_535;
    this.waiting = Buffer.alloc(0);
    socket.on('data', (bytes) => this.read(bytes));
  }

  /** DATA within the server's windows. */
  send(bytes) {
    this.waiting = Buffer.concat([this.waiting, bytes]);
    while (this.waiting.length > 0) {
      const n = Math.min(this.waiting.length, 16_384, this.window, this.streamWindow);
      if (n <= 0) return;
      this.socket.write(frame(0, 0, 1, this.waiting.subarray(0, n)));
      this.window -= n;
      this.streamWindow -= n;
      this.waiting = this.waiting.subarray(n);
    }
  }

  read(bytes) {
    let d = bytes;
    if (this.rest) d = Buffer.concat([this.rest, bytes]);
    let at = 0;
    while (at + 9 <= d.length) {
      const length = d.readUIntBE(at, 3);
      if (at + 9 + length > d.length) break;
      this.frame(d[at + 3], d[at + 4], d.readUInt32BE(at + 5) & 0x7fffffff, d.subarray(at + 9, at + 9 + length));
      at += 9 + length;
    }
    this.rest = at < d.length ? d.subarray(at) : undefined;
    if (this.received >= WINDOW_GROWN_BYTES) {
      this.socket.write(Buffer.concat([windowUpdate(0, this.received), windowUpdate(1, this.received)]));
      this.received = 0;
    }
    this.state.onEvents();
  }

  frame(type, flags, stream, payload) {
    if (type === 0) this.data(payload);
    else if (type === 3 || type === 7) throw new Error(`the server ended the watchers: frame ${type}, ${payload.toString('latin1')}`);
    else if (type === 4 && !(flags & 1)) {
      for (let i = 0; i + 6 <= payload.length; i += 6)
        if (payload.readUInt16BE(i) === 4) this.streamWindow += payload.readUInt32BE(i + 2) - 65_535;
      this.socket.write(frame(4, 1, 0, Buffer.alloc(0)));
      this.send(Buffer.alloc(0));
    } else if (type === 6 && !(flags & 1)) this.socket.write(frame(6, 1, 0, payload));
    else if (type === 8) {
      if (stream === 0) this.window += payload.readUInt32BE(0);
      else this.streamWindow += payload.readUInt32BE(0);
      this.send(Buffer.alloc(0));
    }
  }

  data(payload) {
    this.received += payload.length;
    this.state.bytes += payload.length;
    let d = payload;
    if (this.unread) {
      this.unread.push(payload);
      this.unreadBytes += payload.length;
      if (this.unreadBytes < this.wanted) return;
      d = Buffer.concat(this.unread);
      this.unread = undefined;
    }
    let at = 0;
    while (at + 5 <= d.length) {
      const end = at + 5 + d.readUInt32BE(at + 1);
      if (end > d.length) break;
      this.message(d, at + 5, end);
      at = end;
    }
    if (at === d.length) return;
    this.unread = [d.subarray(at)];
    this.unreadBytes = d.length - at;
    this.wanted = this.unreadBytes < 5 ? 5 : 5 + d.readUInt32BE(at + 1);
  }

  /** A WatchResponse: its fields are stepped over, its events counted. */
  message(d, from, end) {
    const { state } = this;
    state.responses++;
    let watchId = 0;
    for (let at = from; at < end;) {
      const { tag, value, next } = readField(d, at);
      at = next;
      if (tag === 90) {
        state.events++;
        if (this.onEvent && watchId % this.sampleEvery === 0) this.event(d, next - value, next);
      } else if (tag === 16) watchId = value;
      else if (tag === 24 && value === 1) {
        state.created++;
        state.onCreated();
      } else if (tag === 32 && value === 1) throw new Error('the server cancelled a watcher');
    }
  }

  event(d, from, end) {
    const [kvFrom, kvEnd] = field(d, from, end, 18);
    const [valueFrom, valueEnd] = field(d, kvFrom, kvEnd, 42);
    this.onEvent(d.subarray(valueFrom, valueEnd));
  }
}

/** Where the content of a field lies that has a length; `[end, end]` if it is not there. */
function field(d, from, end, wanted) {
  for (let at = from; at < end;) {
    const { tag, value, next } = readField(d, at);
    if (tag === wanted) return [next - value, next];
    at = next;
  }
  return [end, end];
}

/** The field at `at`: a number, or the length of what ends at `next`. */
function readField(d, at) {
  const tag = d[at++];
  let value = 0;
  let shift = 1;
  for (; d[at] > 127; at++, shift *= 128) value += (d[at] & 127) * shift;
  value += d[at++] * shift;
  return { tag, value, next: (tag & 7) === 2 ? at + value : at };
}
