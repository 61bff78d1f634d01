// What we send, and when: windows, turns, queues, trailers behind data, time. RFC 9113 by section where it is a rule for senders.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '@distrokv/base';
import { HeaderBlock } from './header-block.ts';
import { Http2Error } from './errors.ts';
import { ACK, data, END_STREAM, frame, headers, lineOf, ping, settings, windowUpdate } from './testing/frames.ts';
import { Probe, request, response } from './testing/probe.ts';

const big = (bytes: number): Uint8Array => new Uint8Array(bytes);
const isBadHeaders = (thrown: unknown): boolean => thrown instanceof Http2Error && thrown.code === 'bad-headers';

describe('§6.9 flow control of a sender', () => {
  test('§6.9.2 65,535 bytes before anything else is known, of the stream and of the connection', () => {
    const probe = Probe.ready('server');
    probe.open(1).sendData(big(100_000));
    const sent = probe.frames().reduce((n, { payload }) => n + payload.length, 0);
    assert.equal(sent, 65_535);
    probe.open(3).sendData(big(10), true);
    probe.assertFine();
    probe.send(windowUpdate(0, 34_470));
    assert.deepEqual(probe.lines(), ['DATA 3 10 bytes END_STREAM', 'RST_STREAM 3 NO_ERROR']); // Stream 1 has no window of its own.
    probe.send(windowUpdate(1, 1 << 20));
    assert.deepEqual(probe.lines(), ['DATA 1 16384 bytes', 'DATA 1 16384 bytes', 'DATA 1 1692 bytes']);
    probe.send(windowUpdate(0, 5));
    assert.deepEqual(probe.lines(), ['DATA 1 5 bytes']);
  });

  test('§6.9.1 an empty frame that ends the stream needs no window', () => {
    const probe = Probe.ready('server');
    probe.send(settings([4, 0]));
    probe.open(1, END_STREAM).sendData(big(0), true);
    assert.deepEqual(probe.lines(), ['DATA 1 0 bytes END_STREAM']);
  });

  test('§6.9.2 a smaller INITIAL_WINDOW_SIZE makes windows negative, and they have to become positive again', () => {
    const probe = Probe.ready('server');
    const stream = probe.open(1, END_STREAM);
    stream.sendData(big(60_000));
    probe.lines();
    probe.send(settings([4, 16_384]));
    stream.sendData(big(10), true);
    assert.deepEqual(probe.lines(), ['SETTINGS ACK']);
    probe.send(windowUpdate(1, 43_616));
    assert.deepEqual(probe.lines(), []);
    probe.send(windowUpdate(1, 1));
    assert.deepEqual(probe.lines(), ['DATA 1 1 bytes']);
    probe.send(settings([4, 20_000]));
    assert.deepEqual(probe.lines(), ['DATA 1 9 bytes END_STREAM', 'SETTINGS ACK']);
  });

  test('§4.2 no frame is larger than the peer takes, HEADERS included', () => {
    const probe = Probe.ready('server');
    const stream = probe.open(1, END_STREAM);
    stream.sendHeaders([...response, 'a', '\x80'.repeat(20_000)]); // Huffman makes it longer, so it goes as it is.
    const [first, second] = probe.frames();
    assert.deepEqual([lineOf(first as never), first?.payload.length], ['HEADERS 1 unfinished', 16_384]);
    assert.deepEqual([lineOf(second as never), second?.flags], ['CONTINUATION 1', 4]);
    probe.send(settings([5, 40_000]), windowUpdate(0, 1 << 20), windowUpdate(1, 1 << 20));
    probe.lines();
    stream.sendData(big(50_000));
    assert.deepEqual(probe.lines(), ['DATA 1 40000 bytes', 'DATA 1 10000 bytes']);
  });
});

describe('queues', () => {
  test('streams take turns', () => {
    const probe = Probe.ready('server');
    probe.send(settings([4, 1 << 30]));
    for (const id of [1, 3, 5, 7]) probe.open(id, END_STREAM);
    probe.stream(7).sendData(big(65_535));
    for (const id of [1, 3, 5]) probe.stream(id).sendData(big(60_000));
    probe.lines();
    probe.send(windowUpdate(0, 5 * 16_384 + 100));
    assert.deepEqual(
      probe.frames().map(({ id, payload }) => [id, payload.length]),
      [...[1, 3, 5, 1, 3].map((id) => [id, 16_384]), [5, 100]],
    );
  });

  test('trailers wait for the data before them, and end the stream', () => {
    const probe = Probe.ready('server');
    probe.send(settings([4, 5]));
    const stream = probe.open(1, END_STREAM);
    assert.equal(stream.sendHeaders(response), true);
    assert.equal(stream.sendData(utf8('1234567')), true);
    assert.equal(stream.sendHeaders(['grpc-status', '0'], true), true);
    assert.equal(stream.sendData(big(1)), false);
    assert.equal(stream.sendHeaders(response, true), false);
    assert.deepEqual(probe.lines(), ['HEADERS 1', 'DATA 1 5 bytes']);
    assert.equal(stream.closed, false);
    probe.send(windowUpdate(1, 2));
    assert.deepEqual(probe.lines(), ['DATA 1 2 bytes', 'HEADERS 1 END_STREAM']);
    assert.equal(stream.closed, true);
  });

  test('small pieces that had to wait go out in one frame, in order', () => {
    const probe = Probe.ready('server');
    probe.send(settings([4, 0]));
    const stream = probe.open(1, END_STREAM);
    for (let i = 0; i < 100; i++) stream.sendData(Uint8Array.of(i, i));
    stream.sendData(big(0), true);
    probe.lines();
    probe.send(windowUpdate(1, 51));
    const [first] = probe.frames();
    assert.equal(first?.payload.join(), Array.from({ length: 51 }, (_, i) => i >> 1).join());
    probe.send(windowUpdate(1, 1000));
    const [second] = probe.frames();
    assert.equal(second?.payload.join(), Array.from({ length: 149 }, (_, i) => (i + 51) >> 1).join());
    assert.equal(second?.flags, 1);
  });

  test('a large body is handed on without a copy', () => {
    const probe = Probe.ready('server');
    const stream = probe.open(1, END_STREAM);
    const body = big(10_000);
    stream.sendData(body);
    assert.ok(probe.connection.takeOutput().some((chunk) => chunk.buffer === body.buffer));
  });

  test('the owner hears of output once, until it takes it', () => {
    const probe = Probe.ready('server');
    const before = probe.outputs;
    probe.send(ping(), ping(), headers(1, request, END_STREAM));
    probe.stream(1).sendHeaders(response);
    probe.stream(1).sendData(big(5), true);
    assert.equal(probe.outputs, before + 1);
    assert.equal(probe.connection.takeOutput().length, 1);
    assert.equal(probe.connection.takeOutput().length, 0);
    probe.send(ping());
    assert.equal(probe.outputs, before + 2);
  });

  test('a reset drops what is queued, and gives the rest of the window back', () => {
    const probe = Probe.ready('server', { consumes: false, connectionWindowBytes: 65_535, maxConnectionWindowBytes: 65_535 });
    probe.send(settings([4, 0]));
    const stream = probe.open(1);
    stream.sendData(big(1000));
    for (let i = 0; i < 3; i++) probe.send(data(1, 16_000));
    probe.lines();
    stream.reset(8);
    assert.deepEqual(probe.lines(), ['WINDOW_UPDATE 0 48000', 'RST_STREAM 1 CANCEL']);
    assert.equal(stream.queuedBytes, 0);
  });
});

describe('windows of ours', () => {
  test('grow while the reader keeps up, to their bound and no further', () => {
    const probe = Probe.ready('server', { streamWindowBytes: 16_384, maxStreamWindowBytes: 100_000 });
    probe.open(1);
    let window = 16_384;
    for (let i = 0; i < 1000; i++) {
      probe.send(data(1, 8192));
      window -= 8192;
      for (const { type, id, payload } of probe.frames()) {
        if (type === 8 && id === 1) window += new DataView(payload.buffer, payload.byteOffset).getUint32(0);
      }
      assert.ok(window <= 100_000);
      assert.ok(window >= 8192, 'a reader that keeps up never stalls the writer');
    }
    assert.ok(window > 50_000, `${window}`);
  });

  test('a stream that is reset within a frame of data gives the frame back once', () => {
    const options = { consumes: false, connectionWindowBytes: 65_535, maxConnectionWindowBytes: 65_535 };
    const probe = Probe.ready('server', options);
    for (const id of [1, 3]) probe.open(id);
    probe.send(data(3, 16_000), data(3, 16_000));
    const whole = data(1, 16_000);
    probe.send(whole.slice(0, 100));
    probe.stream(1).reset(8);
    probe.send(whole.slice(100));
    probe.send(data(1, 16_000));
    // 32,000 bytes of stream 3 are unread, so no more than the rest of the window may come.
    const back = probe.lines().filter((line) => line.startsWith('WINDOW_UPDATE 0'));
    assert.deepEqual(back, []);
    probe.send(data(1, 1000));
    assert.deepEqual(probe.lines(), ['WINDOW_UPDATE 0 33000']);
  });

  test('a stream that has ended gets no more window', () => {
    const probe = Probe.ready('server', { consumes: false, streamWindowBytes: 1000 });
    const stream = probe.open(1);
    probe.send(data(1, 1000, END_STREAM));
    stream.consume(1000);
    probe.assertFine();
  });

  test('more than came cannot be consumed', () => {
    const probe = Probe.ready('server', { consumes: false, streamWindowBytes: 1000, maxStreamWindowBytes: 1000 });
    const stream = probe.open(1);
    probe.send(data(1, 600));
    stream.consume(1e9);
    stream.consume(1);
    assert.deepEqual(probe.lines(), ['WINDOW_UPDATE 1 600']);
  });
});

describe('headers that cannot be sent', () => {
  for (const [what, list] of [
    ['upper case', ['A', 'b']],
    ['a line break', ['a', 'b\r\nc: d']],
    ['what is no byte', ['a', '\u{1f600}']],
    ['a name without a value', ['a']],
    ['connection', ['connection', 'close']],
    ['blanks at the end', ['a', 'b ']],
  ] as const) {
    test(`${what}: refused before anything is sent`, () => {
      const probe = Probe.ready('server');
      const stream = probe.open(1, END_STREAM);
      assert.throws(() => stream.sendHeaders(list), isBadHeaders);
      assert.throws(() => stream.sendHeaders(response, false, list), isBadHeaders);
      assert.throws(() => new HeaderBlock(list), isBadHeaders);
      probe.assertFine();
      assert.equal(stream.sendHeaders(response, true), true);
    });
  }

  test('§6.5.2 a list larger than the peer takes', () => {
    const probe = Probe.ready('client');
    probe.send(settings([6, 300]));
    const block = new HeaderBlock(request);
    assert.throws(() => probe.client.openStream(block, true, undefined, ['a', 'x'.repeat(300)]), isBadHeaders);
    assert.equal(probe.client.openStream(block, true, undefined)?.id, 1);
  });
});

describe('time', () => {
  test('keepalive: a silent peer is asked, and given up', () => {
    const probe = Probe.ready('client', { keepaliveMs: 10_000, keepaliveTimeoutMs: 3000 });
    probe.open();
    for (let now = 0; now < 10_000; now += 1000) probe.connection.tick(now);
    assert.deepEqual(probe.frames(), []);
    probe.connection.tick(10_000);
    const [asked] = probe.frames();
    assert.equal(asked?.type, 6);
    probe.send(frame('PING', ACK, 0, asked?.payload));
    for (let now = 11_000; now < 21_000; now += 1000) probe.connection.tick(now);
    assert.deepEqual(probe.frames(), []);
    probe.connection.tick(21_000);
    assert.equal(probe.frames().length, 1);
    probe.connection.tick(23_999);
    assert.equal(probe.connection.closed, false);
    probe.connection.tick(24_000);
    assert.deepEqual(probe.events(), ['reset 1 NO_ERROR by connection', 'close timeout']);
  });

  test('keepalive without streams only if wanted', () => {
    const probe = Probe.ready('client', { keepaliveMs: 1000, keepaliveWithoutStreams: false });
    for (let now = 0; now < 100_000; now += 1000) probe.connection.tick(now);
    assert.deepEqual(probe.frames(), []);
  });

  test('too many pings, as gRPC counts them: two strikes are forgiven, answers wipe them out', () => {
    const probe = Probe.ready('server', { minPingIntervalMs: 5000 });
    let now = 0;
    const pass = (ms: number): void => {
      for (const end = now + ms; now < end;) probe.connection.tick((now += 500));
    };
    probe.open(1);
    pass(1000);
    for (let i = 0; i < 100; i++) {
      probe.send(ping());
      pass(5000);
    }
    probe.send(ping(), ping());
    probe.stream(1).sendData(utf8('x'));
    probe.send(ping(), ping(), ping());
    probe.lines();
    probe.assertAlive();
    probe.send(ping());
    assert.equal(probe.error?.message, 'too_many_pings');
    assert.deepEqual(probe.lines().at(-1), 'GOAWAY 1 ENHANCE_YOUR_CALM');
  });

  test('without streams, strictly', () => {
    const probe = Probe.ready('server', { minPingIntervalMs: 5000, strictPingsWithoutStreams: true });
    let now = 0;
    for (let i = 0; i < 4; i++) {
      probe.send(ping());
      for (const end = now + 10_000; now < end;) probe.connection.tick((now += 500));
    }
    assert.equal(probe.error?.message, 'too_many_pings');
  });

  test('a shutdown whose PING is never answered ends all the same', () => {
    const probe = Probe.ready('server', { keepaliveTimeoutMs: 2000 });
    probe.connection.tick(0);
    probe.connection.shutdown();
    probe.connection.shutdown();
    probe.connection.tick(2001);
    assert.deepEqual(probe.events(), ['close']);
    assert.equal(probe.lines().filter((line) => line.startsWith('GOAWAY')).length, 2);
  });

  test('a client that shuts down waits for its calls', () => {
    const probe = Probe.ready('client');
    probe.client.openStream(request, true, undefined);
    probe.connection.shutdown();
    assert.equal(probe.client.availableStreams, 0);
    probe.send(headers(1, response, END_STREAM));
    assert.deepEqual(probe.events(), ['headers 1 1 end', 'done 1', 'close']);
    assert.equal(probe.lines().at(-1), 'GOAWAY 0 NO_ERROR');
  });

  test('close ends at once, and says why', () => {
    const probe = Probe.ready('server');
    probe.open(1);
    probe.connection.close(0, 'the server stops');
    assert.deepEqual(probe.events(), ['reset 1 NO_ERROR by connection', 'close closed']);
    const [last] = probe.frames();
    assert.equal(Buffer.from(last?.payload.subarray(8) ?? []).toString(), 'the server stops');
    probe.connection.close(0, 'again');
    probe.connection.disconnected('again');
    probe.connection.tick(1);
    probe.connection.shutdown();
    assert.equal(probe.connection.ping(1), false);
    assert.deepEqual([probe.events(), probe.lines()], [[], []]);
  });
});

describe('handlers that act within a callback', () => {
  for (const [what, act] of [
    ['reset', (probe: Probe) => probe.stream(1).reset(8)],
    ['close', (probe: Probe) => probe.connection.close(0, 'x')],
    ['disconnected', (probe: Probe) => probe.connection.disconnected('x')],
    ['a complete answer', (probe: Probe) => probe.stream(1).sendHeaders(response, true)],
  ] as const) {
    for (const at of ['headers', 'data', 'trailers']) {
      test(`${what} in ${at}: nothing more of the stream`, () => {
        const probe = Probe.ready('server');
        let acted = false;
        probe.onEvent = (_, event) => {
          if (!event.startsWith(at) || acted) return;
          acted = true;
          act(probe);
        };
        probe.send(headers(1, request), data(1, 5), data(1, 5), headers(1, ['a', 'b'], END_STREAM));
        assert.ok(acted);
        const events = probe.events();
        const later = events.slice(events.findIndex((event) => event.startsWith(at)) + 1);
        assert.deepEqual(
          later.filter((event) => /^(headers|data|trailers)/.test(event)),
          [],
        );
        if (what === 'reset' || what === 'a complete answer') probe.connection.takeOutput();
        else assert.ok(probe.connection.closed);
      });
    }
  }

  test('an error of the handler goes its way, and is not taken for the peer’s', () => {
    const probe = Probe.ready('server');
    probe.onEvent = () => {
      throw new TypeError('bug');
    };
    assert.throws(() => probe.send(headers(1, request)), TypeError);
  });
});

test('options that make no sense are refused', () => {
  for (const options of [
    { maxFrameSize: 1 },
    { firstStreamId: 2 },
    { maxConcurrentStreams: -1 },
    { streamWindowBytes: 2 ** 31 },
    { headerTableBytes: 0.5 },
  ]) {
    assert.throws(
      () => new Probe('server', options),
      (thrown) => thrown instanceof Http2Error && thrown.code === 'bad-options',
    );
  }
});
