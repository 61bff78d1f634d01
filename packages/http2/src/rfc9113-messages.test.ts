// RFC 9113, §8: requests and answers: what a peer must not do, and what we answer; what it may do, and that we let it. Each test runs twice: with the
// frames handed in at once, and byte by byte. What we must not do ourselves is in sending.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { data, END_STREAM, frame, headers, PADDED, rst } from './testing/frames.ts';
import { Probe, request, response } from './testing/probe.ts';
import { rule, streamFails, requestFails, responseFails, without } from './testing/rules.ts';
import type { HeaderList } from './types.ts';

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
  responseFails('trailers that do not end the stream (client)', headers(1, response), headers(1, ['a', 'b']));
  responseFails('a second final response', headers(1, response), headers(1, response, END_STREAM));
  responseFails('an informational response after the final one', headers(1, response), headers(1, [':status', '103']));
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
  requestFails('a list of values', [...request, 'content-length', '3, 3']);
  requestFails('an empty value', [...request, 'content-length', '']);
  rule('the same value twice', (ready) => {
    const probe = ready('server');
    probe.send(headers(1, [...ofThree, 'content-length', '3']), data(1, 3, END_STREAM));
    assert.equal(probe.receivedBytes, 3);
    probe.assertFine();
  });
  responseFails('too much data of an answer', headers(1, [...response, 'content-length', '3']), data(1, 4));
  responseFails('too little data of an answer', headers(1, [...response, 'content-length', '3']), data(1, 2, END_STREAM));
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
  test('§8.2.1 every byte in a name: those of a token without upper case, and no others', () => {
    for (let c = 0; c < 256; c++) {
      const probe = Probe.ready('server');
      const char = String.fromCharCode(c);
      probe.send(headers(1, [...request, `a${char}b`, 'x']));
      const isToken = /[!#$%&'*+\-.^_`|~0-9a-z]/.test(char);
      assert.deepEqual(probe.events(), isToken ? ['headers 1 5'] : [], `byte ${c}`);
      if (isToken) probe.assertFine();
      else probe.assertStreamError(1, 'PROTOCOL_ERROR');
    }
  });
  test('§8.2.1 every byte in a value, within and at its ends: NUL, LF and CR nowhere, blanks within only', () => {
    for (let c = 0; c < 256; c++) {
      const char = String.fromCharCode(c);
      for (const [value, isFine] of [
        [`a${char}b`, !/[\0\n\r]/.test(char)],
        [`${char}b`, !/[\0\n\r\t ]/.test(char)],
        [`a${char}`, !/[\0\n\r\t ]/.test(char)],
      ] as const) {
        const probe = Probe.ready('server');
        probe.send(headers(1, [...request, 'a', value]));
        assert.deepEqual(probe.events(), isFine ? ['headers 1 5'] : [], `byte ${c} in ${JSON.stringify(value)}`);
      }
    }
  });
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
  requestFails('a pseudo-header without a name', [':', 'x', ...request]);
  responseFails('§8.3.2 :status after a field', headers(1, ['a', 'b', ...response]));
  responseFails('§8.3 an unknown pseudo-header in a response', headers(1, [...response, ':extra', 'x']));
  responseFails('§8.3 a pseudo-header in the trailers of a response', headers(1, response), headers(1, [':status', '200'], END_STREAM));
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
