// RFC 9113, §3 to §5: connections, frames, streams: what a peer must not do, and what we answer; what it may do, and that we let it. Each test runs twice: with the
// frames handed in at once, and byte by byte. What we must not do ourselves is in sending.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '@distrokv/base';
import {
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  join,
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
import { Probe, request, response } from './testing/probe.ts';
import { rule, serverFails, fragment } from './testing/rules.ts';

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
  for (const [what, idle] of [
    ['DATA', (id: number) => data(id, 1)],
    ['RST_STREAM', (id: number) => rst(id, 'CANCEL')],
    ['WINDOW_UPDATE', (id: number) => windowUpdate(id, 1)],
  ] as const) {
    rule(`${what} of a server on a stream that we have not opened, ours to be or its own → PROTOCOL_ERROR`, (ready) => {
      for (const id of [3, 2]) {
        const probe = ready('client');
        probe.open();
        probe.send(idle(id));
        probe.assertConnectionError('PROTOCOL_ERROR');
      }
    });
  }
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
  for (const [what, next] of [
    ['DATA', data(1, 1)],
    ['HEADERS', headers(1, ['a', 'b'], END_STREAM)],
    ['another answer', headers(1, response)],
  ] as const) {
    rule(`${what} of a server that has ended its answer, while the request goes on → stream error STREAM_CLOSED`, (ready) => {
      const probe = ready('client');
      probe.client.openStream(request, false, undefined);
      probe.lines();
      probe.send(headers(1, response, END_STREAM), next);
      assert.deepEqual(probe.events(), ['headers 1 1 end', 'reset 1 STREAM_CLOSED by local']);
      probe.assertStreamError(1, 'STREAM_CLOSED');
    });
  }
  rule('CONTINUATION without HEADERS → connection error PROTOCOL_ERROR', (ready) => {
    const probe = ready('server');
    probe.send(ended, frame('CONTINUATION', END_HEADERS, 3, fragment));
    probe.assertConnectionError('PROTOCOL_ERROR');
  });
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
  rule('data that a server sends after we have cancelled counts for the connection', (ready) => {
    const probe = ready('client', { connectionWindowBytes: 65_535, maxConnectionWindowBytes: 65_535 });
    probe.client.openStream(request, true, undefined)?.reset(8);
    probe.lines();
    probe.send(headers(1, response), data(1, 16_000), data(1, 16_000), data(1, 16_000));
    assert.match(probe.lines().join(), /^WINDOW_UPDATE 0 (48000|32768)$/);
    assert.deepEqual(probe.events(), []);
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
  rule('the highest id is one, and after it there is none', (ready) => {
    const probe = ready('server');
    probe.send(headers(0x7fff_ffff, request, END_STREAM));
    assert.deepEqual(probe.events(), [`headers ${0x7fff_ffff} 4 end`]);
    probe.send(headers(1, request));
    probe.assertConnectionError('PROTOCOL_ERROR', 0x7fff_ffff);
  });
  rule('a client whose ids run out is told, goes on with what is open, and opens no more', (ready) => {
    const probe = ready('client', { firstStreamId: 0x7fff_fffd });
    assert.equal(probe.client.openStream(request, true, undefined)?.id, 0x7fff_fffd);
    assert.deepEqual(probe.events(), []);
    assert.equal(probe.client.openStream(request, true, undefined)?.id, 0x7fff_ffff);
    assert.deepEqual(probe.events(), ['exhausted']);
    assert.equal(probe.client.availableStreams, 0);
    assert.equal(probe.client.openStream(request, true, undefined), undefined);
    probe.lines();
    probe.send(headers(0x7fff_fffd, response, END_STREAM), headers(0x7fff_ffff, response, END_STREAM));
    assert.equal(probe.connection.openStreams, 0);
    assert.equal(probe.client.availableStreams, 0);
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
