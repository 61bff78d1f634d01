// RFC 9113, section by section: what a peer must not do, and what we answer; what it may do, and that we let it. Each test runs twice: with the frames
// handed in at once, and byte by byte. What we must not do ourselves is in sending.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
import type { HeaderList } from './types.ts';

type Ready = (role: 'client' | 'server', options?: ProbeOptions) => Probe;

/** One test, with frames whole and byte by byte. */
function rule(name: string, check: (ready: Ready, raw: Ready) => void): void {
  for (const bytewise of [false, true]) {
    test(bytewise ? `${name} (byte by byte)` : name, () => {
      check(
        (role, options) => Probe.ready(role, { ...options, bytewise }),
        (role, options) => new Probe(role, { ...options, bytewise }),
      );
    });
  }
}

/** The server ends the connection with `code` when it gets `frames` after the handshake. */
function serverFails(name: string, code: string, ...frames: readonly Uint8Array[]): void {
  rule(`${name} → connection error ${code}`, (ready) => {
    const probe = ready('server');
    probe.send(...frames);
    probe.assertConnectionError(code);
  });
}

/** The server ends stream 1 with `code` when it gets `frames` after an open request. */
function streamFails(name: string, code: string, ...frames: readonly Uint8Array[]): void {
  rule(`${name} → stream error ${code}`, (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(...frames);
    assert.equal(probe.events().at(-1), `reset 1 ${code} by local`);
    probe.assertStreamError(1, code);
    assert.equal(probe.stream(1).closed, true);
  });
}

/** A request that never reaches the handler. */
function requestFails(name: string, list: HeaderList, flags = 0): void {
  rule(`${name} → stream error PROTOCOL_ERROR`, (ready) => {
    const probe = ready('server');
    probe.send(headers(1, list, flags));
    assert.deepEqual(probe.events(), []);
    probe.assertStreamError(1, 'PROTOCOL_ERROR');
  });
}

function responseFails(name: string, ...frames: readonly Uint8Array[]): void {
  rule(`${name} → stream error PROTOCOL_ERROR`, (ready) => {
    const probe = ready('client');
    probe.client.openStream(request, true, undefined);
    probe.lines();
    probe.send(...frames);
    assert.equal(probe.events().at(-1), 'reset 1 PROTOCOL_ERROR by local');
    probe.assertStreamError(1, 'PROTOCOL_ERROR');
  });
}

const without = (name: string): HeaderList => request.filter((_, i) => request[i - (i % 2)] !== name);
const fragment = literals(request);

describe('§3.4 connection preface', () => {
  rule('a server begins with SETTINGS', (_, raw) => assert.equal(raw('server').lines()[0], 'SETTINGS'));
  rule('a client begins with the preface and SETTINGS', (_, raw) => {
    const bytes = Buffer.concat(raw('client').connection.takeOutput());
    assert.equal(bytes.subarray(0, 24).toString('latin1'), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    assert.equal(bytes[27], 4);
  });
  rule('bytes that are no preface → PROTOCOL_ERROR', (_, raw) => {
    const probe = raw('server');
    probe.lines();
    probe.send(utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    probe.assertConnectionError('PROTOCOL_ERROR', 0);
  });
  for (const [what, first] of [
    ['PING', ping()],
    ['HEADERS', headers(1, request)],
    ['DATA', data(1, 1)],
    ['an acknowledgement of SETTINGS', settingsAck],
    ['an unknown frame', frame(0xbe, 0, 0)],
  ] as const) {
    rule(`a client's first frame is ${what} → PROTOCOL_ERROR`, (_, raw) => {
      const probe = raw('server');
      probe.lines();
      probe.send(PREFACE, first);
      probe.assertConnectionError('PROTOCOL_ERROR');
    });
    rule(`a server's first frame is ${what} → PROTOCOL_ERROR`, (_, raw) => {
      const probe = raw('client');
      probe.lines();
      probe.send(first);
      probe.assertConnectionError('PROTOCOL_ERROR');
    });
  }
  rule('frames may follow the preface at once, before SETTINGS of the server were read', (_, raw) => {
    const probe = raw('server');
    probe.send(PREFACE, settings(), headers(1, request, END_STREAM));
    assert.deepEqual(probe.events(), ['headers 1 4 end']);
  });
});

describe('§4.1 frame format', () => {
  rule('an unknown type is ignored, on any stream', (ready) => {
    const probe = ready('server');
    probe.send(frame(0xbe, 0xff, 0, new Uint8Array(100)), frame(0xbf, 0, 77, new Uint8Array(3)));
    probe.assertFine();
  });
  rule('flags without a meaning for a type are ignored', (ready) => {
    const probe = ready('server');
    probe.send(frame('PING', 0xfe, 0, utf8('abcdefgh')));
    assert.deepEqual(probe.lines(), ['PING abcdefgh ACK']);
    probe.send(frame('HEADERS', END_HEADERS | 0xc2, 1, fragment));
    assert.deepEqual(probe.events(), ['headers 1 4']);
  });
  rule('the reserved bit is ignored', (ready) => {
    const probe = ready('server');
    probe.send(frame('HEADERS', END_HEADERS, 0x8000_0001, fragment), frame('WINDOW_UPDATE', 0, 0x8000_0000, uint32(0x8000_0001)));
    assert.deepEqual(probe.events(), ['headers 1 4']);
    probe.assertFine();
  });
});

describe('§4.2 frame size', () => {
  serverFails('DATA larger than SETTINGS_MAX_FRAME_SIZE', 'FRAME_SIZE_ERROR', headers(1, request), data(1, 16_385));
  serverFails('HEADERS larger than SETTINGS_MAX_FRAME_SIZE', 'FRAME_SIZE_ERROR', frame('HEADERS', END_HEADERS, 1, new Uint8Array(16_385)));
  serverFails('an unknown frame larger than SETTINGS_MAX_FRAME_SIZE', 'FRAME_SIZE_ERROR', frame(0xbe, 0, 0, new Uint8Array(16_385)));
  rule('frames of exactly the maximum, and of a maximum that we have raised', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(data(1, 16_384));
    assert.equal(probe.receivedBytes, 16_384);
    const roomy = ready('server', { maxFrameSize: 20_000 });
    roomy.open(1);
    roomy.send(data(1, 20_000));
    assert.equal(roomy.receivedBytes, 20_000);
    roomy.assertAlive();
    roomy.send(data(1, 20_001));
    roomy.assertConnectionError('FRAME_SIZE_ERROR');
  });
  serverFails('HEADERS too small for the length of its padding', 'FRAME_SIZE_ERROR', frame('HEADERS', END_HEADERS | PADDED, 1));
  serverFails('HEADERS too small for its priority', 'FRAME_SIZE_ERROR', frame('HEADERS', END_HEADERS | PRIORITY, 1, new Uint8Array(4)));
  serverFails('DATA too small for the length of its padding', 'FRAME_SIZE_ERROR', headers(1, request), frame('DATA', PADDED, 1));
});

describe('§4.3 field section compression', () => {
  serverFails('a field block that does not decode', 'COMPRESSION_ERROR', frame('HEADERS', END_HEADERS, 1, Uint8Array.of(0xff, 0xff)));
  serverFails(
    'a field block that names an entry that is not there',
    'COMPRESSION_ERROR',
    frame('HEADERS', END_HEADERS, 1, Uint8Array.of(0xbe)),
  );
  rule('a field block on a stream that we have reset still counts → COMPRESSION_ERROR', (ready) => {
    const probe = ready('server');
    probe.open(1).reset(8);
    probe.lines();
    probe.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, Uint8Array.of(0xbe)));
    probe.assertConnectionError('COMPRESSION_ERROR', 1);
  });
  rule('the table stays in step when a stream is refused', (ready) => {
    const probe = ready('server', { maxConcurrentStreams: 1 });
    probe.open(1);
    // Inserts x: y, then uses it.
    probe.send(frame('HEADERS', END_HEADERS, 3, join(fragment, Uint8Array.of(0x40, 1, 0x78, 1, 0x79))));
    assert.deepEqual(probe.lines(), ['RST_STREAM 3 REFUSED_STREAM']);
    probe.stream(1).reset(8);
    probe.lines();
    probe.send(frame('HEADERS', END_HEADERS, 5, join(fragment, Uint8Array.of(0xbe))));
    assert.deepEqual(probe.events(), ['headers 5 5']);
  });
  rule('§4.3.1 no table size update after we have made the table smaller → COMPRESSION_ERROR', (_, raw) => {
    const probe = raw('server', { headerTableBytes: 100 });
    probe.lines();
    probe.send(PREFACE, settings(), headers(1, request)); // Not acknowledged yet.
    assert.deepEqual(probe.events(), ['headers 1 4']);
    probe.lines();
    probe.send(settingsAck, headers(3, request));
    probe.assertConnectionError('COMPRESSION_ERROR', 1);
  });
  for (const [what, next] of [
    ['DATA of the same stream', data(1, 1)],
    ['HEADERS of the same stream', headers(1, request)],
    ['CONTINUATION of another stream', frame('CONTINUATION', END_HEADERS, 3, fragment)],
    ['PING', ping()],
    ['SETTINGS', settings()],
    ['an unknown frame (§5.5)', frame(0xbe, 0, 1)],
    ['WINDOW_UPDATE', windowUpdate(0, 1)],
  ] as const) {
    serverFails(`${what} within a field block`, 'PROTOCOL_ERROR', frame('HEADERS', 0, 1, fragment.subarray(0, 3)), next);
  }
});

describe('§5.1 stream states: idle', () => {
  serverFails('DATA', 'PROTOCOL_ERROR', data(1, 1));
  serverFails('RST_STREAM', 'PROTOCOL_ERROR', rst(1, 'CANCEL'));
  serverFails('WINDOW_UPDATE', 'PROTOCOL_ERROR', windowUpdate(1, 1));
  serverFails('CONTINUATION', 'PROTOCOL_ERROR', frame('CONTINUATION', END_HEADERS, 1, fragment));
  serverFails('a stream of the server', 'PROTOCOL_ERROR', data(2, 1));
  rule('HEADERS of a server on a stream that we have not opened → PROTOCOL_ERROR', (ready) => {
    for (const id of [1, 2]) {
      const probe = ready('client');
      probe.send(headers(id, response));
      probe.assertConnectionError('PROTOCOL_ERROR');
    }
  });
  rule('PRIORITY is fine', (ready) => {
    const probe = ready('server');
    probe.send(frame('PRIORITY', 0, 5, new Uint8Array(5)));
    probe.assertFine();
  });
});

describe('§5.1 stream states: half-closed (remote)', () => {
  const ended = headers(3, request, END_STREAM);
  for (const [what, next] of [
    ['DATA', data(3, 1)],
    ['empty DATA that ends the stream', data(3, 0, END_STREAM)],
    ['HEADERS', headers(3, ['a', 'b'], END_STREAM)],
  ] as const) {
    rule(`${what} → stream error STREAM_CLOSED`, (ready) => {
      const probe = ready('server');
      probe.send(ended, next);
      assert.deepEqual(probe.events(), ['headers 3 4 end', 'reset 3 STREAM_CLOSED by local']);
      probe.assertStreamError(3, 'STREAM_CLOSED');
    });
  }
  rule('WINDOW_UPDATE, PRIORITY and RST_STREAM are fine', (ready) => {
    const probe = ready('server');
    probe.send(ended, windowUpdate(3, 1), frame('PRIORITY', 0, 3, new Uint8Array(5)));
    probe.assertFine();
    probe.events();
    probe.send(rst(3, 'CANCEL'));
    assert.deepEqual(probe.events(), ['reset 3 CANCEL by peer']);
    probe.assertFine();
  });
});

describe('§5.1 stream states: closed', () => {
  rule('after our RST_STREAM: what was under way is ignored, but data counts for the connection', (ready) => {
    const probe = ready('server', { connectionWindowBytes: 65_535, maxConnectionWindowBytes: 65_535 });
    probe.open(1).reset(8);
    assert.deepEqual(probe.lines(), ['RST_STREAM 1 CANCEL']);
    probe.send(data(1, 16_000), data(1, 16_000), data(1, 16_000));
    assert.match(probe.lines().join(), /^WINDOW_UPDATE 0 (48000|32768)$/); // Half the window is reached in the middle of a frame, or at its end.
    probe.send(windowUpdate(1, 1), headers(1, ['a', 'b'], END_STREAM), rst(1, 'CANCEL'));
    assert.deepEqual(probe.events(), []);
    probe.assertFine();
  });
  rule('after RST_STREAM of the peer: DATA → stream error STREAM_CLOSED (§6.1)', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(rst(1, 'CANCEL'), data(1, 1));
    assert.deepEqual(probe.events(), ['reset 1 CANCEL by peer']);
    probe.assertStreamError(1, 'STREAM_CLOSED');
  });
  rule('after RST_STREAM of the peer: HEADERS → connection error PROTOCOL_ERROR (§5.1.1)', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(rst(1, 'CANCEL'), headers(1, request, END_STREAM));
    probe.assertConnectionError('PROTOCOL_ERROR');
  });
  rule('after both have ended it: WINDOW_UPDATE, RST_STREAM and PRIORITY are fine', (ready) => {
    const probe = ready('server');
    probe.open(1, END_STREAM).sendHeaders(response, true);
    assert.deepEqual([probe.lines(), probe.events()], [['HEADERS 1 END_STREAM'], ['done 1']]);
    probe.send(windowUpdate(1, 1), rst(1, 'CANCEL'), frame('PRIORITY', 0, 1, new Uint8Array(5)));
    probe.assertFine();
    probe.send(data(1, 1));
    probe.assertStreamError(1, 'STREAM_CLOSED');
  });
  rule('a client that has cancelled ignores the answer', (ready) => {
    const probe = ready('client');
    const stream = probe.client.openStream(request, true, undefined);
    stream?.reset(8);
    assert.deepEqual(probe.lines(), ['HEADERS 1 END_STREAM', 'RST_STREAM 1 CANCEL']);
    probe.send(headers(1, response), data(1, 10), headers(1, ['grpc-status', '0'], END_STREAM));
    assert.deepEqual(probe.events(), []);
    probe.assertFine();
  });
});

test('§5.1 stream states: closed: a client that cancels thousands of calls at once ignores all the answers', () => {
  const probe = Probe.ready('client');
  probe.send(settings([3, 10_000]));
  for (let i = 0; i < 5000; i++) probe.client.openStream(request, true, undefined)?.reset(8);
  assert.equal(probe.frames().length, 10_001);
  probe.events();
  for (let i = 0; i < 5000; i++) probe.send(headers(1 + 2 * i, response), data(1 + 2 * i, 10), headers(1 + 2 * i, ['a', 'b'], END_STREAM));
  assert.deepEqual(probe.events(), []);
  probe.assertAlive();
});

describe('§5.1.1 stream identifiers', () => {
  serverFails('an even stream of a client', 'PROTOCOL_ERROR', headers(2, request));
  serverFails('a stream below one that was opened', 'PROTOCOL_ERROR', headers(5, request), headers(3, request));
  rule('a stream that was skipped is closed', (ready) => {
    const probe = ready('server');
    probe.open(5);
    probe.send(windowUpdate(3, 1), rst(1, 'CANCEL'));
    probe.assertFine();
  });
  rule('our streams are odd and rise', (ready) => {
    const probe = ready('client');
    for (const id of [1, 3, 5]) assert.equal(probe.client.openStream(request, true, undefined)?.id, id);
  });
});

describe('§5.1.2 stream concurrency', () => {
  rule('more streams than we allow → stream error REFUSED_STREAM, until one ends', (ready) => {
    const probe = ready('server', { maxConcurrentStreams: 2 });
    probe.open(1);
    probe.open(3);
    probe.send(headers(5, request, END_STREAM));
    assert.deepEqual([probe.lines(), probe.events()], [['RST_STREAM 5 REFUSED_STREAM'], []]);
    probe.send(rst(1, 'CANCEL'), headers(7, request));
    assert.deepEqual(probe.events(), ['reset 1 CANCEL by peer', 'headers 7 4']);
  });
  rule('we never open more than the peer allows, and say when there is room', (ready) => {
    const probe = ready('client');
    probe.send(settings([3, 1]));
    probe.events();
    assert.equal(probe.client.availableStreams, 1);
    assert.ok(probe.client.openStream(request, true, undefined));
    assert.equal(probe.client.openStream(request, true, undefined), undefined);
    probe.send(headers(1, response, END_STREAM));
    assert.deepEqual(probe.events(), ['headers 1 1 end', 'done 1', 'capacity']);
    probe.send(settings([3, 0]));
    probe.events();
    probe.send(settings([3, 5])); // Nobody has asked in between.
    assert.deepEqual(probe.events(), ['capacity']);
    for (let i = 0; i < 5; i++) probe.client.openStream(request, true, undefined);
    probe.send(headers(3, response, END_STREAM), headers(5, response, END_STREAM));
    assert.deepEqual(probe.events(), ['headers 3 1 end', 'done 3', 'capacity', 'headers 5 1 end', 'done 5']);
  });
});

describe('§5.3 prioritization', () => {
  rule('priority in HEADERS is read over, even of a stream on itself', (ready) => {
    const probe = ready('server');
    probe.send(
      frame(
        'HEADERS',
        END_HEADERS | PRIORITY | PADDED,
        1,
        join(Uint8Array.of(2), uint32(1), Uint8Array.of(9), fragment, new Uint8Array(2)),
      ),
    );
    assert.deepEqual(probe.events(), ['headers 1 4']);
  });
});

describe('§5.4 error handling', () => {
  rule('§5.4.1 GOAWAY names the last stream that was taken; every stream hears of the end', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.open(3);
    probe.send(ping('12345678'), frame('PING', 0, 1, utf8('12345678')));
    assert.deepEqual(probe.lines(), ['PING 12345678 ACK', 'GOAWAY 3 PROTOCOL_ERROR']);
    assert.deepEqual(probe.events(), [
      'reset 1 PROTOCOL_ERROR by connection',
      'reset 3 PROTOCOL_ERROR by connection',
      'close protocol PROTOCOL_ERROR',
    ]);
  });
  rule('§5.4.2 RST_STREAM is never answered with RST_STREAM', (ready) => {
    const probe = ready('server');
    probe.open(1);
    probe.send(rst(1, 'CANCEL'), rst(1, 'CANCEL'));
    probe.assertFine();
  });
});

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
  serverFails('length no multiple of 6', 'FRAME_SIZE_ERROR', frame('SETTINGS', 0, 0, new Uint8Array(5)));
  serverFails('§6.5.2 ENABLE_PUSH 2', 'PROTOCOL_ERROR', settings([2, 2]));
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

describe('§8.1 HTTP message framing', () => {
  streamFails('trailers that do not end the stream', 'PROTOCOL_ERROR', headers(1, ['a', 'b']));
  streamFails('trailers with a pseudo-header', 'PROTOCOL_ERROR', headers(1, [':path', '/'], END_STREAM));
  rule('a request with trailers', (ready) => {
    const probe = ready('server');
    probe.send(headers(1, request), data(1, 'x'), headers(1, ['a', 'b'], END_STREAM));
    assert.deepEqual(probe.events(), ['headers 1 4', 'data 1 1', 'trailers 1 1']);
  });
  rule('informational responses before the final one', (ready) => {
    const probe = ready('client');
    probe.client.openStream(request, true, undefined);
    probe.lines();
    probe.send(
      headers(1, [':status', '100']),
      headers(1, [':status', '103', 'link', 'x']),
      headers(1, response),
      headers(1, ['a', 'b'], END_STREAM),
    );
    assert.deepEqual(probe.events(), ['informational 1 100', 'informational 1 103', 'headers 1 1', 'trailers 1 1', 'done 1']);
    probe.assertFine();
  });
  responseFails('an informational response that ends the stream', headers(1, [':status', '100'], END_STREAM));
  responseFails('DATA before the response', data(1, 1));
  responseFails('DATA after an informational response', headers(1, [':status', '100']), data(1, 1));
  rule('RST_STREAM with NO_ERROR after a complete answer does not take it back', (ready) => {
    const probe = ready('client');
    const stream = probe.client.openStream(request, false, undefined);
    probe.send(headers(1, response, END_STREAM), rst(1, 'NO_ERROR'));
    assert.deepEqual(probe.events(), ['headers 1 1 end', 'done 1']);
    assert.equal(stream?.sendData(new Uint8Array(1)), false);
  });
  rule('a server that has answered does not want the rest', (ready) => {
    const probe = ready('server');
    probe.open(1).sendHeaders(response, true);
    assert.deepEqual([probe.lines(), probe.events()], [['HEADERS 1 END_STREAM', 'RST_STREAM 1 NO_ERROR'], ['done 1']]);
    probe.send(data(1, 100), data(1, 0, END_STREAM));
    probe.assertFine();
  });
});

describe('§8.1.1 malformed messages: content-length', () => {
  const ofThree: HeaderList = [...request, 'content-length', '3'];
  requestFails('a request without the body that it announces', ofThree, END_STREAM);
  requestFails('content-length is no number', [...request, 'content-length', '3x']);
  requestFails('content-length is negative', [...request, 'content-length', '-3']);
  requestFails('two different values', [...ofThree, 'content-length', '4']);
  for (const [what, ...frames] of [
    ['too much data', data(1, 4)],
    ['too little data', data(1, 2, END_STREAM)],
    ['too little data before trailers', data(1, 2), headers(1, ['a', 'b'], END_STREAM)],
  ] as const) {
    rule(`${what} → stream error PROTOCOL_ERROR`, (ready) => {
      const probe = ready('server');
      probe.send(headers(1, ofThree), ...frames);
      assert.equal(probe.events().at(-1), 'reset 1 PROTOCOL_ERROR by local');
      probe.assertStreamError(1, 'PROTOCOL_ERROR');
    });
  }
  rule('as announced, padded and in parts', (ready) => {
    const probe = ready('server');
    probe.send(headers(1, ofThree), data(1, 1), frame('DATA', PADDED | END_STREAM, 1, Uint8Array.of(2, 1, 1, 0, 0)));
    assert.equal(probe.receivedBytes, 3);
    assert.equal(probe.events().at(-1)?.endsWith('end'), true);
    probe.assertFine();
  });
  responseFails('an answer without the body that it announces', headers(1, [...response, 'content-length', '3'], END_STREAM));
  rule('an answer to HEAD, and 204 and 304, have no body', (ready) => {
    const probe = ready('client');
    probe.client.openStream([':method', 'HEAD', ...request.slice(2)], true, undefined);
    probe.client.openStream(request, true, undefined);
    probe.client.openStream(request, true, undefined);
    for (const [id, status] of [
      [1, '200'],
      [3, '204'],
      [5, '304'],
    ] as const) {
      probe.send(headers(id, [':status', status, 'content-length', '3'], END_STREAM));
      assert.deepEqual(probe.events(), [`headers ${id} 2 end`, `done ${id}`]);
    }
  });
});

describe('§8.2 fields', () => {
  requestFails('§8.2.1 an upper-case name', [...request, 'Accept', 'x']);
  requestFails('§8.2.1 an empty name', [...request, '', 'x']);
  requestFails('§8.2.1 a blank in a name', [...request, 'a b', 'x']);
  requestFails('§8.2.1 a byte above 0x7f in a name', [...request, 'a\xe4', 'x']);
  requestFails('§8.2.1 a colon in a name', [...request, 'a:b', 'x']);
  for (const [what, value] of [
    ['NUL', 'a\0b'],
    ['LF', 'a\nb'],
    ['CR', 'a\rb'],
    ['a blank before', ' a'],
    ['a tab after', 'a\t'],
  ] as const) {
    requestFails(`§8.2.1 ${what} in a value`, [...request, 'a', value]);
  }
  rule('§8.2.1 other bytes are for whoever reads the field', (ready) => {
    const probe = ready('server');
    probe.send(headers(1, [...request, 'a', '\x01\x80\xff"', 'b', '']));
    assert.deepEqual(probe.events(), ['headers 1 6']);
  });
  for (const name of ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']) {
    requestFails(`§8.2.2 ${name}`, [...request, name, 'x']);
  }
  requestFails('§8.2.2 te that is not "trailers"', [...request, 'te', 'gzip']);
  responseFails('§8.2.2 a response with transfer-encoding', headers(1, [...response, 'transfer-encoding', 'chunked']));
  rule('§8.2.2 te: trailers', (ready) => {
    const probe = ready('server');
    probe.send(headers(1, [...request, 'te', 'trailers']));
    assert.deepEqual(probe.events(), ['headers 1 5']);
  });
});

describe('§8.3 control data', () => {
  requestFails('an unknown pseudo-header', [':extra', 'x', ...request]);
  requestFails('a pseudo-header of responses', [...request, ':status', '200']);
  requestFails('a pseudo-header after a field', [':method', 'GET', 'a', 'b', ':scheme', 'http', ':path', '/']);
  for (const name of [':method', ':scheme', ':path', ':authority']) {
    requestFails(`${name} twice`, [...request, name, request[request.indexOf(name) + 1] as string]);
    if (name === ':authority') continue;
    requestFails(`§8.3.1 no ${name}`, without(name));
    requestFails(`§8.3.1 an empty ${name}`, [...without(name), name, '']);
  }
  requestFails('§8.3.1 a path that does not start with /', [...without(':path'), ':path', 'a']);
  requestFails('§8.3.1 * without OPTIONS', [...without(':path'), ':path', '*']);
  requestFails('§8.3.1 user information in :authority', [...without(':authority'), ':authority', 'me@x']);
  requestFails('§8.3.1 host that is not :authority', [...request, 'host', 'y']);
  rule('§8.3.1 OPTIONS *, no :authority, the same host, other schemes', (ready) => {
    const probe = ready('server');
    probe.send(headers(1, [':method', 'OPTIONS', ':scheme', 'https', ':path', '*']));
    probe.send(headers(3, [...request, 'host', 'X']));
    probe.send(headers(5, [':method', 'GET', ':scheme', 'coap', ':path', 'a']));
    assert.deepEqual(probe.events(), ['headers 1 3', 'headers 3 5', 'headers 5 3']);
  });
  responseFails('§8.3.2 no :status', headers(1, ['a', 'b']));
  responseFails('§8.3.2 :status that is none', headers(1, [':status', '20']));
  responseFails('§8.3.2 :status that is none (four digits)', headers(1, [':status', '2000']));
  responseFails('§8.3.2 :status twice', headers(1, [':status', '200', ':status', '200']));
  responseFails('§8.3 a pseudo-header of requests', headers(1, [':status', '200', ':path', '/']));
});

describe('§8.5 the CONNECT method', () => {
  requestFails('with :scheme and :path', [':method', 'CONNECT', ...request.slice(2)]);
  requestFails('without :authority', [':method', 'CONNECT']);
  rule('with :authority alone', (ready) => {
    const probe = ready('server');
    probe.send(headers(1, [':method', 'CONNECT', ':authority', 'x:1']));
    assert.deepEqual(probe.events(), ['headers 1 2']);
  });
});

describe('§8.6 upgrade', () => {
  responseFails('status 101', headers(1, [':status', '101']));
});

describe('§8.7 request reliability', () => {
  rule('REFUSED_STREAM says that nothing was done', (ready) => {
    const probe = ready('client');
    probe.client.openStream(request, true, undefined);
    probe.lines();
    probe.send(rst(1, 'REFUSED_STREAM'));
    assert.deepEqual(probe.events(), ['reset 1 REFUSED_STREAM by peer unprocessed']);
  });
  rule('a request that never left says so too', (ready) => {
    const probe = ready('client');
    probe.client.openStream(request, true, undefined);
    probe.lines();
    probe.client.openStream(request, true, undefined);
    probe.connection.disconnected('ECONNRESET');
    assert.deepEqual(probe.events(), [
      'reset 1 CANCEL by connection',
      'reset 3 CANCEL by connection unprocessed',
      'close disconnected CANCEL',
    ]);
  });
});
