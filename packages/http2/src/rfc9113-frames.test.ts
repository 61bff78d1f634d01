// RFC 9113, §6 and §7: each kind of frame: what a peer must not do, and what we answer; what it may do, and that we let it. Each test runs twice: with the
// frames handed in at once, and byte by byte. What we must not do ourselves is in sending.test.ts.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { utf8 } from '@distrokv/base';
import {
  ACK,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  headers,
  join,
  PADDED,
  ping,
  PREFACE,
  rst,
  settings,
  uint32,
  windowUpdate,
} from './testing/frames.ts';
import { request, response } from './testing/probe.ts';
import { rule, serverFails, streamFails, fragment } from './testing/rules.ts';

describe('§6.1 DATA', () => {
  serverFails('on stream 0', 'PROTOCOL_ERROR', data(0, 1));
  serverFails('padding as long as the payload', 'PROTOCOL_ERROR', headers(1, request), frame('DATA', PADDED, 1, Uint8Array.of(3, 0, 0)));
  rule('padding is no body, but counts for both windows', (ready) => {
    const probe = ready('server', { consumes: false, streamWindowBytes: 100, maxStreamWindowBytes: 100 });
    probe.open(1);
    probe.send(frame('DATA', PADDED, 1, join(Uint8Array.of(60), utf8('abc'), new Uint8Array(60))));
    assert.equal(probe.receivedBytes, 3);
    assert.deepEqual(probe.lines(), ['WINDOW_UPDATE 1 61']);
  });
  rule('padding alone ends a stream', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(frame('DATA', PADDED | END_STREAM, 1, Uint8Array.of(2, 0, 0)));
    assert.deepEqual(probe.events(), ['data 1 0 end']);
    probe.assertFine();
  });
  rule('an empty frame that ends the stream needs no window', (ready) => {
    const probe = ready('server', { streamWindowBytes: 1, consumes: false });
    probe.open(1);
    probe.send(data(1, 0, END_STREAM));
    assert.deepEqual(probe.events(), ['data 1 0 end']);
  });
});

describe('§6.2 HEADERS', () => {
  serverFails('on stream 0', 'PROTOCOL_ERROR', headers(0, request));
  serverFails('padding longer than the payload', 'PROTOCOL_ERROR', frame('HEADERS', END_HEADERS | PADDED, 1, Uint8Array.of(5, 0x82)));
  rule('padding as long as the payload → PROTOCOL_ERROR, one byte less is an empty fragment', (ready) => {
    const probe = ready('server');
    probe.send(frame('HEADERS', END_HEADERS | PADDED, 1, Uint8Array.of(3, 0, 0, 0)));
    probe.assertStreamError(1, 'PROTOCOL_ERROR'); // No fields: malformed.
    probe.send(frame('HEADERS', END_HEADERS | PADDED, 3, Uint8Array.of(4, 0, 0, 0)));
    probe.assertConnectionError('PROTOCOL_ERROR');
  });
});

describe('§6.3 PRIORITY', () => {
  serverFails('on stream 0', 'PROTOCOL_ERROR', frame('PRIORITY', 0, 0, new Uint8Array(5)));
  streamFails('length other than 5', 'FRAME_SIZE_ERROR', frame('PRIORITY', 0, 1, new Uint8Array(4)));
  serverFails('length other than 5 on an idle stream', 'FRAME_SIZE_ERROR', frame('PRIORITY', 0, 1, new Uint8Array(6)));
});

describe('§6.4 RST_STREAM', () => {
  serverFails('on stream 0', 'PROTOCOL_ERROR', rst(0, 'CANCEL'));
  serverFails('length other than 4', 'FRAME_SIZE_ERROR', headers(1, request), frame('RST_STREAM', 0, 1, new Uint8Array(3)));
  serverFails('length other than 4, longer', 'FRAME_SIZE_ERROR', headers(1, request), frame('RST_STREAM', 0, 1, new Uint8Array(5)));
  serverFails('on a stream of the server', 'PROTOCOL_ERROR', headers(1, request), rst(2, 'CANCEL'));
  rule('ends the stream, whatever its code', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(frame('RST_STREAM', 0, 1, uint32(0xdead_beef)));
    assert.deepEqual(probe.events(), ['reset 1 0xdeadbeef by peer']);
    assert.equal(probe.stream(1).sendHeaders(response), false);
    assert.equal(probe.stream(1).sendData(new Uint8Array(1)), false);
    probe.stream(1).consume(1);
    probe.stream(1).reset(8);
    probe.assertFine();
  });
});

describe('§6.5 SETTINGS', () => {
  serverFails('an acknowledgement with a payload', 'FRAME_SIZE_ERROR', frame('SETTINGS', ACK, 0, new Uint8Array(6)));
  serverFails('on a stream', 'PROTOCOL_ERROR', frame('SETTINGS', 0, 1));
  serverFails('an acknowledgement on a stream', 'PROTOCOL_ERROR', frame('SETTINGS', ACK, 1));
  serverFails('length no multiple of 6', 'FRAME_SIZE_ERROR', frame('SETTINGS', 0, 0, new Uint8Array(5)));
  serverFails('§6.5.2 ENABLE_PUSH 2', 'PROTOCOL_ERROR', settings([2, 2]));
  rule('§6.5.2 ENABLE_PUSH 0 of a server is fine', (ready) => {
    const probe = ready('client');
    probe.send(settings([2, 0]));
    assert.deepEqual(probe.lines(), ['SETTINGS ACK']);
  });
  rule('§6.5.2 what a client must not take is not taken of a server either', (ready) => {
    for (const [id, value, code] of [
      [2, 2, 'PROTOCOL_ERROR'],
      [4, 0x8000_0000, 'FLOW_CONTROL_ERROR'],
      [5, 16_383, 'PROTOCOL_ERROR'],
    ] as const) {
      const probe = ready('client');
      probe.send(settings([id, value]));
      probe.assertConnectionError(code);
    }
  });
  rule('§6.5.3 one wrong value is an error, whatever the others are', (ready) => {
    const probe = ready('server');
    probe.send(settings([3, 7], [5, 1], [4, 9]));
    probe.assertConnectionError('PROTOCOL_ERROR');
  });
  rule('§6.5.2 ENABLE_PUSH 1 of a server → PROTOCOL_ERROR', (ready) => {
    const probe = ready('client');
    probe.send(settings([2, 1]));
    probe.assertConnectionError('PROTOCOL_ERROR');
  });
  serverFails('§6.5.2 INITIAL_WINDOW_SIZE beyond 2^31 - 1', 'FLOW_CONTROL_ERROR', settings([4, 0x8000_0000]));
  serverFails('§6.5.2 MAX_FRAME_SIZE below 2^14', 'PROTOCOL_ERROR', settings([5, 16_383]));
  serverFails('§6.5.2 MAX_FRAME_SIZE beyond 2^24 - 1', 'PROTOCOL_ERROR', settings([5, 16_777_216]));
  rule('§6.5.2 unknown settings are ignored', (ready) => {
    const probe = ready('server');
    probe.send(settings([0xffff, 1], [0, 5], [9, 9]));
    assert.deepEqual(probe.lines(), ['SETTINGS ACK']);
  });
  rule('§6.5.3 each is acknowledged, after all of its values hold, and the last of equal ones counts', (ready) => {
    const probe = ready('server');
    probe.send(settings([4, 1], [5, 20_000], [4, 9], [6, 500], [3, 7], [1, 1000]), settings());
    assert.deepEqual(probe.lines(), ['SETTINGS ACK', 'SETTINGS ACK']);
    assert.deepEqual(probe.connection.peerSettings, {
      headerTableSize: 1000,
      enablePush: true,
      maxConcurrentStreams: 7,
      initialWindowSize: 9,
      maxFrameSize: 20_000,
      maxHeaderListSize: 500,
    });
  });
});

describe('§6.6 PUSH_PROMISE', () => {
  serverFails('from a client, without anything', 'PROTOCOL_ERROR', frame('PUSH_PROMISE', 0, 0));
  serverFails('from a client', 'PROTOCOL_ERROR', headers(1, request), frame('PUSH_PROMISE', END_HEADERS, 1, join(uint32(2), fragment)));
  rule('§8.4 to a client that has disabled it → PROTOCOL_ERROR', (ready) => {
    const probe = ready('client');
    probe.open();
    probe.send(frame('PUSH_PROMISE', END_HEADERS, 1, join(uint32(2), fragment)));
    probe.assertConnectionError('PROTOCOL_ERROR');
  });
});

describe('§6.7 PING', () => {
  serverFails('on a stream', 'PROTOCOL_ERROR', frame('PING', 0, 1, new Uint8Array(8)));
  serverFails('length other than 8', 'FRAME_SIZE_ERROR', frame('PING', 0, 0, new Uint8Array(7)));
  serverFails('an answer of a length other than 8', 'FRAME_SIZE_ERROR', frame('PING', ACK, 0, new Uint8Array(9)));
  rule('is answered with the same bytes; an answer is not', (ready) => {
    const probe = ready('server');
    probe.send(ping('\0\x01abc\x7fz\x02'), ping('abcdefgh', ACK));
    assert.deepEqual(probe.lines(), ['PING \0\x01abc\x7fz\x02 ACK']);
    probe.assertFine();
  });
  rule('ours comes back', (ready) => {
    const probe = ready('client');
    assert.ok(probe.connection.ping(Number.MAX_SAFE_INTEGER));
    const [sent] = probe.frames();
    probe.send(frame('PING', ACK, 0, sent?.payload));
    assert.deepEqual(probe.events(), [`pong ${Number.MAX_SAFE_INTEGER}`]);
  });
});

describe('§6.8 GOAWAY', () => {
  serverFails('on a stream', 'PROTOCOL_ERROR', frame('GOAWAY', 0, 1, new Uint8Array(8)));
  serverFails('too short', 'FRAME_SIZE_ERROR', frame('GOAWAY', 0, 0, new Uint8Array(7)));
  rule('streams beyond it were not processed; those below go on; no new ones; the connection ends with the last', (ready) => {
    const probe = ready('client');
    for (let i = 0; i < 3; i++) probe.open();
    probe.send(goaway(3, 'NO_ERROR', 'bye'));
    assert.deepEqual(probe.events(), ['goaway NO_ERROR bye', 'reset 5 NO_ERROR by connection unprocessed']);
    assert.equal(probe.client.availableStreams, 0);
    assert.equal(probe.client.openStream(request, true, undefined), undefined);
    probe.send(data(1, 3), data(3, 2, END_STREAM));
    probe.stream(3).sendData(new Uint8Array(0), true);
    probe.events();
    probe.send(goaway(1, 'NO_ERROR'), data(1, 0, END_STREAM));
    probe.stream(1).sendData(new Uint8Array(0), true);
    assert.deepEqual(probe.lines().at(-1), 'GOAWAY 0 NO_ERROR');
    assert.equal(probe.events().at(-1), 'close');
  });
  rule('a later one that takes more streams → PROTOCOL_ERROR', (ready) => {
    const probe = ready('client');
    probe.open();
    probe.send(goaway(1, 'NO_ERROR'), goaway(3, 'NO_ERROR'));
    probe.assertConnectionError('PROTOCOL_ERROR');
  });
  rule('an error in it is what a later end of the socket is about', (ready) => {
    const probe = ready('client');
    probe.open();
    probe.send(goaway(1, 'ENHANCE_YOUR_CALM', 'too_many_pings'));
    probe.connection.disconnected(undefined);
    assert.deepEqual(probe.events().slice(-2), ['reset 1 ENHANCE_YOUR_CALM by connection', 'close goaway ENHANCE_YOUR_CALM']);
    assert.match(probe.error?.message ?? '', /too_many_pings/);
  });
  rule('a shutdown in order: two of them, and what was under way is still taken', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.connection.shutdown();
    const [first, check] = probe.frames();
    assert.equal(first?.type, 7);
    assert.deepEqual([...(first?.payload.subarray(0, 8) ?? [])], [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    probe.send(headers(3, request, END_STREAM)); // Crossed the first GOAWAY.
    assert.deepEqual(probe.events(), ['headers 3 4 end']);
    probe.send(frame('PING', ACK, 0, check?.payload));
    assert.deepEqual(probe.lines(), ['GOAWAY 3 NO_ERROR']);
    probe.send(headers(5, request), data(5, 10)); // Too late: ignored, but the table and the window stay in step.
    probe.assertFine();
    assert.deepEqual(probe.events(), []);
    probe.stream(3).sendHeaders(response, true);
    assert.deepEqual(probe.events(), ['done 3']);
    probe.send(data(1, 0, END_STREAM));
    probe.stream(1).sendHeaders(response, true);
    assert.deepEqual(probe.events(), ['data 1 0 end', 'done 1', 'close']);
    assert.ok(probe.connection.closed);
  });
});

describe('§6.9 WINDOW_UPDATE', () => {
  streamFails('by 0', 'PROTOCOL_ERROR', windowUpdate(1, 0));
  serverFails('by 0 for the connection', 'PROTOCOL_ERROR', windowUpdate(0, 0));
  serverFails('length other than 4', 'FRAME_SIZE_ERROR', frame('WINDOW_UPDATE', 0, 0, new Uint8Array(5)));
  serverFails('length other than 4 on a stream', 'FRAME_SIZE_ERROR', headers(1, request), frame('WINDOW_UPDATE', 0, 1, new Uint8Array(3)));
  serverFails('on a stream of the server', 'PROTOCOL_ERROR', windowUpdate(2, 1));
  rule('more data than the window of the stream → stream error FLOW_CONTROL_ERROR', (ready) => {
    const probe = ready('server', { streamWindowBytes: 1000, consumes: false });
    probe.open(1);
    probe.send(data(1, 1000));
    probe.assertFine();
    probe.events();
    probe.send(data(1, 1));
    assert.deepEqual(probe.events(), ['reset 1 FLOW_CONTROL_ERROR by local']);
    probe.assertStreamError(1, 'FLOW_CONTROL_ERROR');
  });
  rule('more data than the window of the connection → connection error FLOW_CONTROL_ERROR', (ready) => {
    const probe = ready('server', { connectionWindowBytes: 65_535, consumes: false });
    for (const id of [1, 3, 5, 7]) probe.open(id);
    for (const id of [1, 3, 5]) probe.send(data(id, 16_384));
    probe.send(data(7, 16_383));
    probe.assertAlive();
    probe.send(data(1, 1));
    probe.assertConnectionError('FLOW_CONTROL_ERROR');
  });
  rule('§6.9.1 a window beyond 2^31 - 1 → stream error FLOW_CONTROL_ERROR', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(windowUpdate(1, 0x7fff_ffff - 65_535));
    probe.assertFine();
    probe.send(windowUpdate(1, 1));
    probe.assertStreamError(1, 'FLOW_CONTROL_ERROR');
  });
  serverFails('§6.9.1 a window of the connection beyond 2^31 - 1', 'FLOW_CONTROL_ERROR', windowUpdate(0, 0x7fff_ffff));
  serverFails(
    '§6.9.2 INITIAL_WINDOW_SIZE that makes a window too large',
    'FLOW_CONTROL_ERROR',
    headers(1, request),
    windowUpdate(1, 1),
    settings([4, 0x7fff_ffff]),
  );
  rule('§6.9.2 SETTINGS leave the window of the connection as it is', (ready) => {
    const probe = ready('server');
    probe.send(settings([4, 1 << 20]));
    probe.lines();
    probe.open(1).sendData(new Uint8Array(100_000));
    const bytes = probe.frames().reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0);
    assert.equal(bytes, 65_535);
  });
  rule('§6.9.1 data beyond a window counts with its padding', (ready) => {
    const probe = ready('server', { streamWindowBytes: 100, consumes: false });
    probe.open(1);
    probe.send(frame('DATA', PADDED, 1, join(Uint8Array.of(100), new Uint8Array(100))));
    assert.deepEqual(probe.events(), ['reset 1 FLOW_CONTROL_ERROR by local']);
    probe.assertStreamError(1, 'FLOW_CONTROL_ERROR');
  });
  rule('§6.9.3 data that was sent before our smaller window was known is taken', (_, raw) => {
    const probe = raw('server', { streamWindowBytes: 10, consumes: false });
    probe.send(PREFACE, settings(), headers(1, request), data(1, 16_000));
    assert.equal(probe.receivedBytes, 16_000);
    probe.lines();
    probe.assertAlive();
  });
});

describe('§6.10 CONTINUATION', () => {
  serverFails('on stream 0', 'PROTOCOL_ERROR', frame('HEADERS', 0, 1, fragment), frame('CONTINUATION', END_HEADERS, 0));
  serverFails('after a block that has ended', 'PROTOCOL_ERROR', headers(1, request), frame('CONTINUATION', END_HEADERS, 1, fragment));
  serverFails('after DATA', 'PROTOCOL_ERROR', headers(1, request), data(1, 1), frame('CONTINUATION', END_HEADERS, 1));
  rule('a block in many frames, some of them empty; END_STREAM counts after its end', (ready) => {
    const probe = ready('server');
    probe.send(frame('HEADERS', END_STREAM, 1));
    for (const byte of fragment) probe.send(frame('CONTINUATION', END_STREAM, 1, Uint8Array.of(byte)));
    assert.deepEqual(probe.events(), []);
    probe.send(frame('CONTINUATION', END_HEADERS, 1));
    assert.deepEqual(probe.events(), ['headers 1 4 end']);
  });
});

describe('§7 error codes', () => {
  rule('unknown ones have no special meaning', (ready) => {
    const probe = ready('client');
    probe.open();
    probe.send(frame('GOAWAY', 0, 0, join(uint32(1), uint32(0x1234))));
    assert.deepEqual(probe.events(), ['goaway 0x1234 ']);
    probe.assertFine();
  });
});
