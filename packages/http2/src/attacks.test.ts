// What hostile peers do to HTTP/2, and the bound that each attack meets: how much it may send before it is told to calm down, how much we hold meanwhile, and
// how much work the handler is given.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { utf8 } from '@distrokv/base';
import { type ConnectionHandler, createServerConnection } from './index.ts';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  join,
  literals,
  PADDED,
  ping,
  PREFACE,
  PRIORITY,
  rst,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from './testing/frames.ts';
import { Probe, type ProbeOptions, request, response } from './testing/probe.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const BURST = 100;
const limits: ProbeOptions = { nuisanceBurst: BURST, nuisancePerSecond: 10 };
const fragment = literals(request);

/** Sends frame after frame until the connection ends; returns how many were taken. What is to be written is never taken, as by a peer that does not read. */
function flood(probe: Probe, next: (i: number) => Uint8Array, most = 100_000): number {
  for (let i = 0; i < most; i++) {
    probe.send(next(i));
    if (probe.connection.closed) return i;
  }
  return most;
}

function assertCalmed(probe: Probe, taken: number, atMost = BURST): void {
  assert.ok(taken <= atMost, `${taken} frames were taken`);
  assert.equal(probe.lines().at(-1)?.split(' ').slice(2).join(' '), 'ENHANCE_YOUR_CALM');
  assert.equal(probe.events().at(-1), 'close protocol ENHANCE_YOUR_CALM');
}

describe('floods of frames that bring the peer nothing', () => {
  for (const [name, next] of [
    ['PING', () => ping()],
    ['answers to no PING', () => ping('abcdefgh', ACK)],
    ['SETTINGS', () => settings([4, 1])],
    ['SETTINGS without values', () => settings()],
    ['SETTINGS full of values', (i) => settings(...new Array<readonly [number, number]>(2000).fill([4, i]))],
    ['acknowledgements of SETTINGS', () => settingsAck],
    ['PRIORITY', () => frame('PRIORITY', 0, 1, new Uint8Array(5))],
    ['WINDOW_UPDATE of the connection', () => windowUpdate(0, 1)],
    ['WINDOW_UPDATE of a stream', () => windowUpdate(1, 1)],
    ['empty DATA', () => data(1, 0)],
    ['DATA with padding only', () => frame('DATA', PADDED, 1, Uint8Array.of(0))],
    ['RST_STREAM on a closed stream', () => rst(1, 'CANCEL')],
    ['GOAWAY', () => frame('GOAWAY', 0, 0, new Uint8Array(8))],
    ['unknown frames', () => frame(0xbe, 0, 0)],
    ['empty CONTINUATION', (i) => (i === 0 ? frame('HEADERS', 0, 3) : frame('CONTINUATION', 0, 3))],
    ['HEADERS without fields', (i) => headers(3 + 2 * i, [], END_STREAM)],
    ['malformed requests', (i) => headers(3 + 2 * i, [':method', 'GET'], END_STREAM)],
    ['malformed trailers', (i) => join(headers(3 + 2 * i, request), headers(3 + 2 * i, ['A', 'b'], END_STREAM))],
  ] as const satisfies readonly (readonly [string, (i: number) => Uint8Array])[]) {
    test(`${name}: at most ${BURST} at once, few bytes held`, () => {
      const probe = Probe.ready('server', limits);
      probe.open(1);
      const taken = flood(probe, next);
      assert.ok(probe.connection.outputBytes < BURST * 40 + 1000, `${probe.connection.outputBytes} bytes of output`);
      assertCalmed(probe, taken);
    });
  }

  test('at the rate that is allowed they go on for ever', () => {
    const probe = Probe.ready('server', limits);
    for (let second = 0; second < 1000; second++) {
      probe.connection.tick(second * 1000);
      for (let i = 0; i < 10; i++) probe.send(ping());
      assert.equal(probe.lines().length, 10);
    }
    assert.equal(probe.connection.closed, false);
  });

  test('answers that nobody reads end the connection, however slowly they are asked for', () => {
    const probe = Probe.ready('server', { nuisanceBurst: 1e9 });
    const taken = flood(probe, () => ping());
    assert.ok(probe.connection.outputBytes < 180_000);
    assertCalmed(probe, taken, 10_000);
  });

  test('DATA on a closed stream is answered once, and then thrown away: it may have been on its way', () => {
    const probe = Probe.ready('server', limits);
    probe.open(1);
    const taken = flood(probe, (i) => (i === 0 ? rst(1, 'CANCEL') : data(1, 1)), 10_000);
    assert.equal(taken, 10_000);
    assert.equal(probe.connection.outputBytes, 13);
  });

  test('what answers data that we send is no nuisance', () => {
    const probe = Probe.ready('server', limits);
    const stream = probe.open(1);
    for (let i = 0; i < 10_000; i++) {
      stream.sendData(new Uint8Array(100));
      probe.send(windowUpdate(0, 100), windowUpdate(1, 100), ping());
      probe.connection.takeOutput();
    }
    assert.equal(probe.connection.closed, false);
  });
});

describe('rapid reset (CVE-2023-44487)', () => {
  test('requests that are cancelled at once: few reach the handler', () => {
    const probe = Probe.ready('server', limits);
    let requests = 0;
    probe.onEvent = (_, event) => {
      if (event.startsWith('headers')) requests++;
    };
    const taken = flood(probe, (i) => join(headers(1 + 2 * i, request, END_STREAM), rst(1 + 2 * i, 'CANCEL')));
    assert.ok(requests <= BURST + 1, `${requests} requests`);
    assertCalmed(probe, taken, BURST + 1);
  });

  test('calls that time out, as many as may be open, second after second, are no attack', () => {
    const probe = Probe.ready('server', { ...limits, maxConcurrentStreams: 1000 });
    for (let second = 0, id = 1; second < 20; second++) {
      const first = id;
      for (let i = 0; i < 1000; i++, id += 2) probe.send(headers(id, request, END_STREAM));
      probe.connection.tick(second * 1000);
      for (let one = first; one < id; one += 2) probe.send(rst(one, 'CANCEL'));
      probe.streams.clear();
      assert.equal(probe.events().length, 2000);
    }
    assert.equal(probe.connection.closed, false);
  });

  test('requests that are answered at once and reset then: few', () => {
    const probe = Probe.ready('server', limits);
    probe.onEvent = (stream, event) => {
      if (event.startsWith('headers')) stream.sendHeaders(response, true);
    };
    const taken = flood(probe, (i) => join(headers(1 + 2 * i, request, END_STREAM), rst(1 + 2 * i, 'CANCEL')));
    assertCalmed(probe, taken, 2 * BURST);
  });

  test('a client whose calls mostly end in order may cancel some, as fast as it likes', () => {
    const probe = Probe.ready('server', limits);
    for (let i = 0; i < 10_000; i++) {
      const id = 1 + 2 * i;
      probe.send(headers(id, request, END_STREAM));
      if (i % 3 === 0) probe.send(rst(id, 'CANCEL'));
      else probe.stream(id).sendHeaders(response, true);
      probe.connection.takeOutput();
      probe.streams.delete(id);
      probe.events();
    }
    assert.equal(probe.connection.closed, false);
  });
});

describe('MadeYouReset (CVE-2025-8671): requests that make the server reset them', () => {
  for (const [name, bait] of [
    ['WINDOW_UPDATE by 0', (id) => windowUpdate(id, 0)],
    ['PRIORITY of another length', (id) => frame('PRIORITY', 0, id, new Uint8Array(3))],
    ['a window that overflows', (id) => windowUpdate(id, 0x7fff_ffff)],
    ['DATA after the end', (id) => data(id, 1)],
    ['HEADERS after the end', (id) => headers(id, request, END_STREAM)],
  ] as const satisfies readonly (readonly [string, (id: number) => Uint8Array])[]) {
    test(`${name}: few reach the handler, each is told, none stays open`, () => {
      const probe = Probe.ready('server', { ...limits, maxConcurrentStreams: 5 });
      let open = 0;
      let requests = 0;
      probe.onEvent = (_, event) => {
        if (event.startsWith('headers')) {
          open++;
          requests++;
        } else if (event.startsWith('reset')) open--;
      };
      const taken = flood(probe, (i) => join(headers(1 + 2 * i, request, END_STREAM), bait(1 + 2 * i)));
      assert.equal(open, 0);
      assert.ok(requests <= BURST + 1, `${requests} requests`);
      assertCalmed(probe, taken, BURST + 1);
    });
  }
});

describe('field blocks', () => {
  test('CONTINUATION flood (CVE-2024-27316): what is held is bounded by the limit of the list', () => {
    const probe = Probe.ready('server', { maxHeaderListBytes: 4096 });
    const taken = flood(probe, (i) => frame(i === 0 ? 'HEADERS' : 'CONTINUATION', 0, 1, new Uint8Array(1000)));
    assertCalmed(probe, taken, 17);
  });

  test('a block that trickles in ends by the clock', () => {
    const probe = Probe.ready('server', { handshakeTimeoutMs: 5000 });
    probe.connection.tick(0);
    probe.send(frame('HEADERS', 0, 1, fragment.subarray(0, 5)));
    for (const second of [1, 2, 3, 4, 5, 6]) {
      probe.connection.tick(second * 1000);
      probe.send(frame('CONTINUATION', 0, 1, fragment.subarray(5, 6)));
      assert.equal(probe.connection.closed, false);
    }
    probe.connection.tick(6001);
    assert.deepEqual(probe.lines(), ['GOAWAY 0 ENHANCE_YOUR_CALM']);
  });

  test('HPACK bomb: an entry of 4 KB named 16,000 times is neither built nor handed on', () => {
    const probe = Probe.ready('server');
    const value = new Uint8Array(3900).fill(0x62);
    probe.send(
      frame(
        'HEADERS',
        END_HEADERS,
        1,
        join(fragment, Uint8Array.of(0x40, 1, 0x61, 0x7f, ((3900 - 127) & 0x7f) | 0x80, (3900 - 127) >> 7), value),
      ),
    );
    assert.deepEqual(probe.events(), ['headers 1 5']);
    probe.lines();
    const before = process.memoryUsage().heapUsed;
    probe.send(frame('HEADERS', END_HEADERS, 3, new Uint8Array(16_000).fill(0xbe)));
    assert.ok(process.memoryUsage().heapUsed - before < 4 << 20);
    probe.assertConnectionError('ENHANCE_YOUR_CALM');
  });

  test('a list somewhat beyond the limit, or of too many fields, ends its stream only', () => {
    const probe = Probe.ready('server', { maxHeaderListBytes: 4096, maxHeaderFields: 100 });
    probe.send(headers(1, [...request, 'a', 'x'.repeat(5000)]));
    probe.assertStreamError(1, 'ENHANCE_YOUR_CALM');
    probe.send(headers(3, [...request, ...new Array<string>(194).fill('a')]));
    probe.assertStreamError(3, 'ENHANCE_YOUR_CALM');
    probe.send(headers(5, [...request, 'a', 'b'], 0));
    assert.deepEqual(probe.events(), ['headers 5 5']);
  });

  test('too many fields in an answer end the call of the client', () => {
    const probe = Probe.ready('client', { maxHeaderFields: 10 });
    probe.client.openStream(request, true, undefined);
    probe.lines();
    probe.send(headers(1, [...response, ...new Array<string>(40).fill('a')]));
    assert.deepEqual(probe.events(), ['reset 1 ENHANCE_YOUR_CALM by local']);
  });

  test('Huffman codes that blow up, table size updates without end: no more than the block', () => {
    const probe = Probe.ready('server');
    probe.send(frame('HEADERS', END_HEADERS, 1, new Uint8Array(16_000).fill(0x20)));
    probe.assertConnectionError('COMPRESSION_ERROR');
  });

  test('informational responses without end', () => {
    const probe = Probe.ready('client', limits);
    probe.client.openStream(request, true, undefined);
    const taken = flood(probe, () => headers(1, [':status', '103']));
    assertCalmed(probe, taken);
  });
});

describe('bytes', () => {
  test('a length that lies: what is held is at most twice what came', () => {
    const probe = Probe.ready('server');
    const lie = join(frame(0xbe, 0, 0, new Uint8Array(16_000)).subarray(0, 9), new Uint8Array(10));
    collect();
    const before = process.memoryUsage().arrayBuffers;
    const probes = Array.from({ length: 1000 }, () => Probe.ready('server'));
    for (const one of probes) one.send(lie);
    collect();
    assert.ok(process.memoryUsage().arrayBuffers - before < 1000 * 4096, 'far less than 16 KB each');
    probe.assertAlive();
    for (const one of probes) one.connection.disconnected(undefined);
  });

  test('dribbled bytes: a frame of 16 KB, byte by byte, costs no more than its bytes', () => {
    const probe = Probe.ready('server', { bytewise: true });
    probe.open(1);
    let bytes = 0;
    probe.onEvent = () => bytes++;
    probe.send(data(1, 16_384, END_STREAM));
    assert.equal(bytes, 16_384);
    probe.send(headers(3, [...request, 'a', 'x'.repeat(10_000)]));
    assert.equal(probe.events().at(-1), 'headers 3 5');
  });

  test('a frame larger than ours ends the connection with its header, before its payload', () => {
    const probe = Probe.ready('server');
    probe.send(Uint8Array.of(0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1));
    probe.assertConnectionError('FRAME_SIZE_ERROR');
  });

  test('an unfinished preface, and a peer that never says SETTINGS or never takes ours, end by the clock', () => {
    for (const begin of [PREFACE.subarray(0, 5), PREFACE, join(PREFACE, settings())]) {
      const probe = new Probe('server', { handshakeTimeoutMs: 1000 });
      probe.connection.tick(5000);
      probe.send(begin);
      probe.connection.tick(6000);
      assert.equal(probe.connection.closed, false);
      probe.connection.tick(6001);
      assert.deepEqual(probe.events(), ['close timeout SETTINGS_TIMEOUT']);
      assert.equal(probe.lines().at(-1), 'GOAWAY 0 SETTINGS_TIMEOUT');
    }
  });
});

describe('slow readers', () => {
  test('a window of zero: what is sent waits in its queue, and the sender is told', () => {
    const probe = Probe.ready('server', { streamQueueBytes: 100_000 });
    probe.send(settings([4, 0]));
    const stream = probe.open(1, END_STREAM);
    stream.sendHeaders(response);
    let sent = 0;
    while (stream.sendData(new Uint8Array(10_000))) sent += 10_000;
    assert.equal(sent, 90_000);
    assert.equal(stream.queuedBytes, 100_000);
    assert.deepEqual(probe.lines(), ['HEADERS 1']);
    probe.send(windowUpdate(1, 49_999));
    assert.equal(probe.events().includes('writable 1'), false);
    probe.send(windowUpdate(1, 1));
    assert.deepEqual(probe.events().slice(-1), ['writable 1']);
  });

  test('streams that are reset while they wait for the window of the connection are forgotten', async () => {
    const probe = Probe.ready('server', { nuisanceBurst: 1e6 });
    probe.open(1, END_STREAM).sendData(new Uint8Array(65_535)); // The window is used up.
    const gone: WeakRef<object>[] = [];
    for (let i = 1; i <= 100; i++) {
      probe.open(1 + 2 * i, END_STREAM).sendData(new Uint8Array(10));
      gone.push(new WeakRef(probe.stream(1 + 2 * i)));
      probe.send(rst(1 + 2 * i, 'CANCEL'));
      probe.streams.delete(1 + 2 * i);
    }
    probe.lines();
    await new Promise(setImmediate); // A WeakRef holds what it points to until the end of the turn.
    collect();
    assert.ok(gone.filter((each) => each.deref() !== undefined).length <= 5, 'the last ones may still be at hand');
  });

  test('many streams that nobody takes the answers of: beyond a bound no more are let in', () => {
    const probe = Probe.ready('server', { connectionQueueBytes: 1 << 20, streamQueueBytes: 1 << 16 });
    probe.send(settings([4, 0]));
    let requests = 0;
    probe.onEvent = (stream, event) => {
      if (!event.startsWith('headers')) return;
      requests++;
      stream.sendData(new Uint8Array(1 << 16), true);
    };
    for (let i = 0; i < 500; i++) probe.send(headers(1 + 2 * i, request, END_STREAM));
    assert.equal(requests, 17);
    assert.equal(probe.lines().filter((line) => line.endsWith('REFUSED_STREAM')).length, 483);
  });

  test('a socket that is not read: data stays in the queues, and we stop reading', () => {
    const probe = Probe.ready('server', { outputBytes: 50_000 });
    probe.send(windowUpdate(0, 1 << 30), settings([4, 1 << 30]));
    for (let i = 0; i < 10; i++) {
      const stream = probe.open(1 + 2 * i, END_STREAM);
      assert.equal(probe.connection.congested, false);
      for (let n = 0; n < 10; n++) stream.sendData(new Uint8Array(10_000));
      if (probe.connection.congested) break;
    }
    assert.ok(probe.connection.outputBytes < 50_000 + 16_384 + 9, `${probe.connection.outputBytes}`);
    assert.equal(probe.connection.congested, true);
    probe.lines();
    assert.equal(probe.connection.congested, false);
  });

  test('one byte of window at a time: each update is one frame, and updates run out', () => {
    const probe = Probe.ready('server', limits);
    probe.send(settings([4, 0]));
    const stream = probe.open(1, END_STREAM);
    stream.sendData(new Uint8Array(1 << 20));
    let frames = 0;
    for (let i = 0; i < 1000 && !probe.connection.closed; i++) {
      probe.send(windowUpdate(1, 1));
      frames += probe.frames().length;
    }
    assert.ok(frames <= 1000);
    assert.ok(stream.queuedBytes >= (1 << 20) - 1000);
  });
});

test('10,000 idle connections: 6 KB each', () => {
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const nothing = (): void => undefined;
  const handler: ConnectionHandler = {
    onHeaders: nothing,
    onData: nothing,
    onTrailers: nothing,
    onReset: nothing,
    onOutput: nothing,
    onClose: nothing,
  };
  const before = used();
  const first = join(PREFACE, settings(), settingsAck, headers(1, request, END_STREAM));
  const connections = Array.from({ length: 10_000 }, () => {
    const connection = createServerConnection({ ...handler, onHeaders: (stream) => stream.sendHeaders(response, true) });
    connection.receive(first);
    for (let now = 0; now < 3; now++) {
      connection.takeOutput();
      connection.tick(now);
    }
    return connection;
  });
  const each = (used() - before) / connections.length;
  assert.ok(each < 6 << 10, `${each} bytes`);
});

describe('streams', () => {
  test('streams that never end: as many as are allowed, and the others are refused', () => {
    const probe = Probe.ready('server', { maxConcurrentStreams: 50 });
    for (let i = 0; i < 500; i++) probe.send(headers(1 + 2 * i, request));
    assert.equal(probe.connection.openStreams, 50);
    assert.equal(probe.events().length, 50);
  });

  test('data that nobody reads: at most a window of each stream, and of the connection', () => {
    const options = { consumes: false, streamWindowBytes: 10_000, connectionWindowBytes: 65_535, maxConnectionWindowBytes: 1 << 20 };
    const probe = Probe.ready('server', options);
    for (let i = 0; i < 10; i++) probe.open(1 + 2 * i);
    for (let i = 0; i < 10 && !probe.connection.closed; i++) probe.send(data(1 + 2 * i, 10_000));
    probe.assertConnectionError('FLOW_CONTROL_ERROR');
    assert.equal(probe.receivedBytes, 60_000);
  });

  test('windows do not grow for a reader that is behind', () => {
    const probe = Probe.ready('server', { consumes: false, streamWindowBytes: 10_000, maxStreamWindowBytes: 1 << 20 });
    const stream = probe.open(1);
    for (let i = 0; i < 100; i++) {
      probe.send(data(1, i === 0 ? 10_000 : 5000));
      stream.consume(5000);
      for (const { type, id, payload } of probe.frames()) if (type === 8 && id === 1) assert.deepEqual([...payload], [0, 0, 0x13, 0x88]);
    }
    assert.equal(probe.connection.closed, false);
  });

  test('priorities on streams that do not exist cost nothing', () => {
    const probe = Probe.ready('server', { nuisanceBurst: 1e6 });
    flood(probe, (i) => frame('PRIORITY', 0, 1 + 2 * i, join(uint32(1 + 2 * i), Uint8Array.of(1))), 10_000);
    flood(probe, (i) => frame('HEADERS', END_HEADERS | PRIORITY | END_STREAM, 1 + 2 * i, join(uint32(7), Uint8Array.of(1), fragment)), 10);
    assert.equal(probe.connection.openStreams, 10);
  });
});

describe('what is not HTTP/2', () => {
  for (const bytes of ['', '\0', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\0\x01\0', 'PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n']) {
    test(JSON.stringify(bytes), () => {
      const probe = new Probe('server');
      probe.send(utf8(bytes));
      assert.equal(probe.connection.closed, bytes !== '');
    });
  }
});
