#!/usr/bin/env node
// A gRPC load generator for any server of the etcd v3 KV service.
//
// It writes HTTP/2 frames straight to sockets, so that it takes little of the CPU that the server under test
// needs: on two cores a generator built on a gRPC library is itself the bottleneck. It shares no code with the
// project, and can serve as an independent client of its wire format.
//
//   node loadgen.mjs --target 127.0.0.1:2379 --op put --conns 10 --inflight 100 --seconds 5
//
//   --target A,B,C     servers; connections are spread over them in turn
//   --op               put | range | serializable-range | mixed (see --reads) | txn (compare version=0, then put)
//   --reads P          percent of linearizable ranges in 'mixed' (default 50)
//   --keys N           size of the key space (default 100000); --key-size BYTES (16), --value-size BYTES (256)
//   --order            random | sequential (default random)
//   --conns C          connections (default 10); --inflight M  requests in flight on each (default 100)
//   --seconds S        measured time (default 5); --warmup S (default 1)
//   --fill             first put every key once, outside the measured time
//   --seed N           seed of the key sequence (default 1)
//
// Prints one JSON line: requests per second, errors, and latency percentiles in milliseconds.
// A request counts as done when its trailers arrive; one that ends without a message counts as an error.
import net from 'node:net';
import { parseArgs } from 'node:util';

const { values: opt } = parseArgs({
  options: {
    target: { type: 'string', default: '127.0.0.1:2379' },
    op: { type: 'string', default: 'put' },
    reads: { type: 'string', default: '50' },
    keys: { type: 'string', default: '100000' },
    'key-size': { type: 'string', default: '16' },
    'value-size': { type: 'string', default: '256' },
    order: { type: 'string', default: 'random' },
    conns: { type: 'string', default: '10' },
    inflight: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '1' },
    fill: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
const targets = opt.target.split(',').map((t) => {
  const i = t.lastIndexOf(':');
  return { host: t.slice(0, i), port: Number(t.slice(i + 1)) };
});
const conns = Number(opt.conns),
  inflight = Number(opt.inflight),
  keys = Number(opt.keys);
const keySize = Number(opt['key-size']),
  valueSize = Number(opt['value-size']),
  reads = Number(opt.reads);

// --- protobuf and gRPC bodies -------------------------------------------------------------------------------
const varint = (n) => {
  const b = [];
  while (n > 127) {
    b.push((n & 127) | 128);
    n = Math.floor(n / 128);
  }
  b.push(n);
  return Buffer.from(b);
};
const bytesField = (no, b) => Buffer.concat([Buffer.from([(no << 3) | 2]), varint(b.length), b]);
const varintField = (no, n) => Buffer.concat([Buffer.from([no << 3]), varint(n)]);
const keyAt = (i) => Buffer.from(String(i).padStart(keySize, 'k').slice(-keySize));
// An incompressible-looking value of printable bytes, the same for every request.
const value = Buffer.from(Array.from({ length: valueSize }, (_, i) => 33 + ((i * 7919 + (i >> 3) * 104729) % 90)));
const putBody = (i) => Buffer.concat([bytesField(1, keyAt(i)), bytesField(2, value)]);
const rangeBody = (i) => bytesField(1, keyAt(i));
const serializableBody = (i) => Buffer.concat([bytesField(1, keyAt(i)), varintField(7, 1)]);
const txnBody = (i) => {
  const compare = Buffer.concat([varintField(2, 0), bytesField(3, keyAt(i)), varintField(4, 0)]); // VERSION == 0
  return Buffer.concat([bytesField(1, compare), bytesField(2, bytesField(2, putBody(i))), bytesField(3, bytesField(1, rangeBody(i)))]);
};
const KV = '/etcdserverpb.KV/';
const kinds = {
  put: [KV + 'Put', putBody],
  range: [KV + 'Range', rangeBody],
  'serializable-range': [KV + 'Range', serializableBody],
  txn: [KV + 'Txn', txnBody],
};
if (opt.op !== 'mixed' && !(opt.op in kinds)) {
  console.error(`unknown --op ${opt.op}`);
  process.exit(2);
}

let rng = (Number(opt.seed) * 2654435761) >>> 0 || 1;
const random = () => {
  rng ^= rng << 13;
  rng >>>= 0;
  rng ^= rng >>> 17;
  rng ^= rng << 5;
  rng >>>= 0;
  return rng;
};
let sequence = 0;
const nextKey = () => (opt.order === 'sequential' ? sequence++ % keys : random() % keys);
let filling = opt.fill,
  fillNext = 0;
const nextRequest = () => {
  if (filling) return fillNext < keys ? ['put', fillNext++] : null;
  if (opt.op !== 'mixed') return [opt.op, nextKey()];
  return [random() % 100 < reads ? 'range' : 'put', nextKey()];
};

// --- HTTP/2 -------------------------------------------------------------------------------------------------
const frame = (type, flags, stream, payload) => {
  const f = Buffer.alloc(9 + payload.length);
  f.writeUIntBE(payload.length, 0, 3);
  f[3] = type;
  f[4] = flags;
  f.writeUInt32BE(stream, 5);
  payload.copy(f, 9);
  return f;
};
const literal = (prefix, name, val) => {
  // name: static table index, or a string
  const v = Buffer.from(val),
    head = typeof name === 'number' ? Buffer.from([prefix | name]) : Buffer.concat([Buffer.from([prefix, name.length]), Buffer.from(name)]);
  return Buffer.concat([head, Buffer.from([v.length]), v]);
};

let measuring = false,
  done = 0,
  errors = 0,
  active = 0;
const latencies = new Float64Array(20_000_000);
let onIdle = () => {};

class Connection {
  constructor(target) {
    this.target = target;
    this.nextStream = 1;
    this.open = new Map();
    this.rest = null;
    this.window = 65535;
    this.limit = Infinity;
    this.indexing = true;
    this.table = new Map();
    this.out = [];
    this.stopped = true;
  }
  connect() {
    return new Promise((resolve, reject) => {
      this.socket = net.connect(this.target.port, this.target.host, () => {
        this.socket.setNoDelay(true);
        const settings = Buffer.from([0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
        const grow = Buffer.alloc(4);
        grow.writeUInt32BE(0x7fff0000);
        this.socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, settings), frame(8, 0, 0, grow)]));
      });
      this.ready = resolve;
      this.socket.on('data', (d) => this.read(d));
      this.socket.on('error', reject);
      this.socket.on('close', () => {
        if (measuring) {
          console.error(`connection to ${this.target.host}:${this.target.port} closed`);
          process.exit(1);
        }
      });
    });
  }
  headers(path) {
    const authority = `${this.target.host}:${this.target.port}`;
    if (!this.indexing) {
      return Buffer.concat([
        Buffer.from([0x83, 0x86]),
        literal(0, 4, path),
        literal(0, 1, authority),
        literal(0, 'content-type', 'application/grpc'),
        literal(0, 'te', 'trailers'),
      ]);
    }
    // The dynamic table grows by one at each insertion: an entry's index is 61 plus the insertions since, itself included.
    const parts = [Buffer.from([0x83, 0x86])];
    const field = (name, key, val) => {
      if (this.table.has(key)) parts.push(Buffer.from([0x80 | (61 + this.table.size - this.table.get(key))]));
      else {
        this.table.set(key, this.table.size);
        parts.push(literal(0x40, name, val));
      }
    };
    field(4, path, path); // pseudo-header fields come before the others
    field(1, ':authority', authority);
    field('content-type', 'content-type', 'application/grpc');
    field('te', 'te', 'trailers');
    return Buffer.concat(parts);
  }
  send() {
    while (!this.stopped && this.open.size < Math.min(inflight, this.limit)) {
      const request = nextRequest();
      if (!request) break;
      const [path, body] = kinds[request[0]];
      const message = body(request[1]);
      const data = Buffer.alloc(5 + message.length);
      data.writeUInt32BE(message.length, 1);
      message.copy(data, 5);
      if (this.window < data.length) {
        if (filling) fillNext--;
        break;
      }
      this.window -= data.length;
      const stream = this.nextStream;
      this.nextStream += 2;
      this.out.push(frame(1, 4, stream, this.block(path)), frame(0, 1, stream, data));
      this.open.set(stream, { start: performance.now(), message: false });
      active++;
    }
    this.flush();
  }
  block(path) {
    // a header block repeats until the table grows: build it once
    if (this.blocksAt !== this.table.size) {
      this.blocksAt = this.table.size;
      this.blocks = new Map();
    }
    if (this.blocks.has(path)) return this.blocks.get(path);
    const block = this.headers(path);
    if (this.blocksAt === this.table.size) this.blocks.set(path, block);
    return block;
  }
  flush() {
    if (this.out.length) {
      this.socket.write(this.out.length === 1 ? this.out[0] : Buffer.concat(this.out));
      this.out = [];
    }
  }
  finish(stream, ok) {
    const s = this.open.get(stream);
    if (!s) return;
    this.open.delete(stream);
    active--;
    if (measuring) {
      if (!ok) errors++;
      else latencies[done++ % latencies.length] = performance.now() - s.start;
    } else if (!ok) errors++;
  }
  read(d) {
    if (this.rest) {
      d = Buffer.concat([this.rest, d]);
      this.rest = null;
    }
    let p = 0;
    while (p + 9 <= d.length) {
      const length = d.readUIntBE(p, 3),
        type = d[p + 3],
        flags = d[p + 4],
        stream = d.readUInt32BE(p + 5) & 0x7fffffff,
        at = p + 9;
      if (at + length > d.length) break;
      if (type === 0) {
        // DATA
        const s = this.open.get(stream);
        if (s && length > 0) s.message = true;
        this.received = (this.received ?? 0) + length;
        if (flags & 1) this.finish(stream, false);
      } else if (type === 1) {
        if (flags & 1) this.finish(stream, this.open.get(stream)?.message ?? false);
      } // HEADERS
      else if (type === 3)
        this.finish(stream, false); // RST_STREAM
      else if (type === 4 && !(flags & 1)) {
        // SETTINGS
        for (let i = at; i < at + length; i += 6) {
          const id = d.readUInt16BE(i),
            v = d.readUInt32BE(i + 2);
          if (id === 1 && v < 4096) this.indexing = false;
          if (id === 3) this.limit = v;
        }
        this.out.push(frame(4, 1, 0, Buffer.alloc(0)));
        this.ready();
      } else if (type === 6 && !(flags & 1))
        this.out.push(frame(6, 1, 0, d.subarray(at, at + 8))); // PING
      else if (type === 7) {
        console.error(`GOAWAY: ${d.subarray(at + 8, at + length)}`);
        process.exit(1);
      } else if (type === 8 && stream === 0) this.window += d.readUInt32BE(at); // WINDOW_UPDATE
      p = at + length;
    }
    if (p < d.length) this.rest = d.subarray(p);
    if (this.received > 1 << 20) {
      const w = Buffer.alloc(4);
      w.writeUInt32BE(this.received);
      this.out.push(frame(8, 0, 0, w));
      this.received = 0;
    }
    this.send();
    if (active === 0) onIdle();
  }
}

const pool = Array.from({ length: conns }, (_, i) => new Connection(targets[i % targets.length]));
await Promise.all(pool.map((c) => c.connect()));
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const go = () => {
  for (const c of pool) {
    c.stopped = false;
    c.send();
  }
};
if (filling) {
  await new Promise((r) => {
    onIdle = () => {
      if (fillNext >= keys) r();
    };
    go();
  });
  filling = false;
  onIdle = () => {};
}
go();
await sleep(Number(opt.warmup) * 1000);
errors = 0;
measuring = true;
done = 0;
const start = performance.now();
await sleep(Number(opt.seconds) * 1000);
measuring = false;
const elapsed = (performance.now() - start) / 1000;
for (const c of pool) c.stopped = true;
const sorted = latencies.subarray(0, Math.min(done, latencies.length)).sort();
const pct = (p) => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? NaN).toFixed(3));
console.log(
  JSON.stringify({
    op: opt.op,
    conns,
    inflight,
    keys,
    valueSize,
    perSecond: Math.round(done / elapsed),
    errors,
    p50: pct(0.5),
    p90: pct(0.9),
    p99: pct(0.99),
    p999: pct(0.999),
    max: pct(1),
  }),
);
for (const c of pool) c.socket.destroy();
