// Calls of all four kinds, and every way in which they end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mvccpb } from '@distrokv/proto';
import { GrpcError } from './index.ts';
import { all, createPair, signalled } from './testing/pair.ts';
import { answer, ask, Echo } from './testing/services.ts';
import type { StatusName } from './status.ts';

const { unary, collect, spread, chat, missing } = Echo.methods;

const kv = mvccpb.KeyValue.create({ key: new Uint8Array(9), value: new Uint8Array(100_000) });
/** 100 kB. */
const large = { ...answer(0), kvs: [kv] };

function failsWith(code: StatusName, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof GrpcError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

test('a unary call, answered at once and later', async (t) => {
  const { channel } = await createPair(t, {
    unary: (request) => (request.limit === 1 ? answer(1) : Promise.resolve(answer(request.limit))),
  });
  assert.deepEqual(await channel.unary(unary, ask(1)), answer(1));
  assert.deepEqual(await channel.unary(unary, ask(2)), answer(2));
});

test('more calls at once than a connection may have streams: those that wait go out as others end', async (t) => {
  const { channel } = await createPair(t, { unary: (request) => Promise.resolve(answer(request.limit)) });
  const answers = await Promise.all(Array.from({ length: 3000 }, (_, n) => channel.unary(unary, ask(n))));
  assert.deepEqual(
    answers,
    Array.from({ length: 3000 }, (_, n) => answer(n)),
  );
});

test('a client stream is answered when it ends', async (t) => {
  const { channel } = await createPair(t, {
    collect: async (call) => answer((await all(call.requests)).reduce((sum, { limit }) => sum + limit, 0)),
  });
  const call = channel.stream(collect);
  for (const n of [1, 2, 3]) call.send(ask(n));
  call.finish();
  assert.deepEqual(await all(call.responses), [answer(6)]);
});

test('a server stream comes in order and ends', async (t) => {
  const { channel } = await createPair(t, {
    async spread(request, call) {
      for (let n = 0; n < request.limit; n++) if (!call.send(answer(n))) await call.writable();
    },
  });
  const call = channel.stream(spread);
  call.send(ask(1000));
  call.finish();
  const counts = (await all(call.responses)).map(({ count }) => count);
  assert.deepEqual(counts, [...Array(1000).keys()]);
});

test('a server stream without its request is refused', async (t) => {
  const { channel } = await createPair(t, { spread: async () => assert.fail('not called') });
  const call = channel.stream(spread);
  call.finish();
  await assert.rejects(all(call.responses), failsWith('unimplemented', /takes one request, and got none/));
});

test('a bidirectional stream goes back and forth', async (t) => {
  const { channel } = await createPair(t, {
    async chat(call) {
      for await (const { limit } of call.requests) call.send(answer(limit * 2));
    },
  });
  const call = channel.stream(chat);
  const responses = call.responses[Symbol.asyncIterator]();
  for (const n of [1, 2, 3]) {
    call.send(ask(n));
    assert.deepEqual((await responses.next()).value, answer(n * 2));
  }
  call.finish();
  assert.equal((await responses.next()).done, true);
});

test('the status that a handler chooses arrives, text and all', async (t) => {
  const text = 'etcdserver: ключ → "100%" 😀\nnext line';
  const { channel, unexpected } = await createPair(t, {
    unary: () => {
      throw new GrpcError('out-of-range', text);
    },
    async spread(_request, call) {
      call.send(answer(1));
      throw new GrpcError('data-loss', text);
    },
  });
  await assert.rejects(channel.unary(unary, ask(1)), { name: 'GrpcError', code: 'out-of-range', message: text });
  const call = channel.stream(spread);
  call.send(ask(1));
  const responses = call.responses[Symbol.asyncIterator]();
  assert.deepEqual((await responses.next()).value, answer(1));
  await assert.rejects(responses.next(), { code: 'data-loss', message: text });
  assert.deepEqual(unexpected, []);
});

test('a status text that no wire could carry is made to fit', async (t) => {
  const { channel } = await createPair(t, {
    unary: () => {
      throw new GrpcError('aborted', `\ud800${'x'.repeat(100_000)}`);
    },
  });
  await assert.rejects(channel.unary(unary, ask(1)), failsWith('aborted', /^\ufffdx{4095}$/));
});

test('anything else that a handler throws is `unknown`, and reported', async (t) => {
  const { channel, unexpected } = await createPair(t, {
    unary: async () => {
      throw new RangeError('a bug');
    },
    chat: async () => {
      throw new RangeError('another');
    },
  });
  await assert.rejects(channel.unary(unary, ask(1)), failsWith('unknown', /^a bug$/));
  await assert.rejects(all(channel.stream(chat).responses), failsWith('unknown', /^another$/));
  assert.deepEqual(unexpected.map(String), ['RangeError: a bug', 'RangeError: another']);
});

test('a method without a handler is unimplemented', async (t) => {
  const { channel } = await createPair(t, { unary: () => answer(1) });
  await assert.rejects(channel.unary(missing, ask(1)), failsWith('unimplemented', /Missing/));
});

test('a deadline ends the call on both sides', async (t) => {
  const aborted = signalled<unknown>();
  const { channel } = await createPair(t, {
    unary: (request, call) =>
      request.limit === 0
        ? answer(0)
        : new Promise((_resolve, reject) => {
            call.signal.addEventListener('abort', () => {
              aborted.resolve(call.signal.reason);
              reject(call.signal.reason as GrpcError);
            });
          }),
  });
  // With the connection there, the call is on its way in the turn that makes it: the server hears of it however late the deadline is looked after.
  await channel.unary(unary, ask(0));
  await assert.rejects(channel.unary(unary, ask(1), { timeoutMs: 50 }), failsWith('deadline-exceeded', /./));
  assert.ok(failsWith('cancelled', /cancelled/)(await aborted.promise));
});

test('a cancelled call tells its handler, which waits for requests or for room', async (t) => {
  const [started, reading, writing] = [signalled(), signalled<unknown>(), signalled<unknown>()];
  const { channel } = await createPair(t, {
    async chat(call) {
      started.resolve();
      // More than the reader, who does not read, and the connection will take.
      for (let n = 0; n < 100; n++) call.send(large);
      call.writable().catch(writing.resolve);
      await all(call.requests).catch(reading.resolve);
      assert.equal(call.send(answer(2)), false);
      throw new GrpcError('cancelled', 'gone');
    },
  });
  const call = channel.stream(chat);
  await started.promise;
  call.cancel();
  await assert.rejects(all(call.responses), failsWith('cancelled', /./));
  assert.ok(failsWith('cancelled', /./)(await reading.promise));
  assert.ok(failsWith('cancelled', /./)(await writing.promise));
  await assert.rejects(call.writable(), failsWith('cancelled', /./));
  assert.equal(call.send(ask(1)), false);
});

test('a client stream that is cancelled is not taken for one that has ended', async (t) => {
  const [started, outcome] = [signalled(), signalled<unknown>()];
  const { channel } = await createPair(t, {
    async collect(call) {
      await call.requests[Symbol.asyncIterator]().next();
      started.resolve();
      await all(call.requests).then(outcome.resolve, outcome.resolve);
      return answer(1);
    },
  });
  const call = channel.stream(collect);
  call.send(ask(1));
  await started.promise;
  call.cancel();
  assert.ok(failsWith('cancelled', /./)(await outcome.promise));
});

test("the caller's signal cancels, before the call and during it", async (t) => {
  const [started, cancelled] = [signalled(), signalled()];
  const { channel } = await createPair(t, {
    unary: (_request, call) => {
      started.resolve();
      return new Promise((_resolve, reject) => {
        call.signal.addEventListener('abort', () => {
          cancelled.resolve();
          reject(call.signal.reason as GrpcError);
        });
      });
    },
  });
  await assert.rejects(channel.unary(unary, ask(1), { signal: AbortSignal.abort() }), failsWith('cancelled', /./));
  const controller = new AbortController();
  const call = channel.unary(unary, ask(1), { signal: controller.signal });
  await started.promise;
  controller.abort();
  await assert.rejects(call, failsWith('cancelled', /./));
  await cancelled.promise;
});

test('a signal that is not asked for until the call has ended well is not aborted', async (t) => {
  const seen = signalled<AbortSignal>();
  const { channel } = await createPair(t, {
    unary: (_request, call) => {
      seen.resolve(call.signal);
      return answer(1);
    },
  });
  await channel.unary(unary, ask(1));
  await channel.unary(unary, ask(1));
  assert.equal((await seen.promise).aborted, false);
});

test('a sender learns when the reader is behind', async (t) => {
  const [full, drained] = [signalled<number>(), signalled()];
  const { channel } = await createPair(t, {
    async spread(_request, call) {
      let sent = 1;
      while (call.send(large)) {
        if (++sent % 8 === 0) await call.writable();
      }
      full.resolve(sent);
      await call.writable();
      drained.resolve();
    },
  });
  const call = channel.stream(spread);
  call.send(ask(1));
  call.finish();
  const sent = await full.promise;
  assert.ok(sent >= 11 && sent < 100, `${sent} messages of 100 kB went out, unread`);
  assert.equal((await all(call.responses)).length, sent);
  await drained.promise;
});

test('a caller learns when the handler is behind', async (t) => {
  const go = signalled();
  const { channel } = await createPair(t, {
    async collect(call) {
      await go.promise;
      return answer((await all(call.requests)).length);
    },
  });
  const call = channel.stream(collect);
  let sent = 0;
  const request = { ...ask(1), key: new Uint8Array(100_000) };
  while (call.send(request)) sent++;
  assert.ok(sent < 11, `${sent} messages of 100 kB were taken at once`);
  const room = call.writable();
  go.resolve();
  await room;
  call.finish();
  assert.equal(call.send(request), false);
  assert.deepEqual(await all(call.responses), [answer(sent + 1)]);
});

test('requests too large are refused with the size and the limit, and the connection stays', async (t) => {
  const { channel } = await createPair(t, { unary: () => answer(1) }, { server: { maxReceiveBytes: 1000 } });
  const tooLarge = { ...ask(1), key: new Uint8Array(2000) };
  await assert.rejects(
    channel.unary(unary, tooLarge),
    failsWith('resource-exhausted', /eceived message larger than max \(2005 vs\.? 1000\)/),
  );
  assert.deepEqual(await channel.unary(unary, ask(1)), answer(1));
});

test('responses too large are refused by the client', async (t) => {
  const { channel } = await createPair(t, { unary: () => large }, { channel: { maxReceiveBytes: 1000 } });
  await assert.rejects(channel.unary(unary, ask(1)), failsWith('resource-exhausted', /larger than max/));
});

test('metadata goes with the call, text and binary', async (t) => {
  const { channel } = await createPair(t, {
    unary: (_request, call) => {
      assert.equal(call.metadata.get('token'), 'abc.1');
      assert.equal(call.metadata.getBinary('token'), undefined);
      assert.deepEqual([...(call.metadata.getBinary('trace-bin') as Uint8Array)], [0, 255, 7]);
      assert.equal(call.metadata.get('trace-bin'), undefined);
      assert.equal(call.metadata.get('absent'), undefined);
      const names = [...call.metadata.entries()].map(([name]) => name);
      assert.ok(names.includes('token') && names.includes('trace-bin'));
      assert.equal(call.path, '/test.Echo/Unary');
      assert.match(call.peer, /^127\.0\.0\.1:\d+$/);
      return answer(1);
    },
  });
  await channel.unary(unary, ask(1), { metadata: { token: 'abc.1', 'trace-bin': Uint8Array.of(0, 255, 7) } });
});

test('metadata that no header can carry is refused', async (t) => {
  const { channel } = await createPair(t, { unary: () => answer(1) });
  for (const metadata of [{ 'bad name': 'x' }, { token: 'line\nbreak' }, { 'x-bin': 'text' }]) {
    await assert.rejects(channel.unary(unary, ask(1), { metadata }), failsWith('invalid-argument', /./));
    assert.throws(() => channel.stream(chat, { metadata }), failsWith('invalid-argument', /./));
  }
});

test('a response that is not protobuf fails the call, on a stream too', async (t) => {
  const broken = { ...unary, response: { ...unary.response, decode: () => assert.fail('bad bytes') } };
  const { channel } = await createPair(t, {
    unary: () => answer(1),
    chat: async (call) => void call.send(answer(1)),
  });
  await assert.rejects(channel.unary(broken, ask(1)), failsWith('internal', /failed to unmarshal/));
  await assert.rejects(
    all(channel.stream({ ...broken, path: chat.path, kind: 'bidi-stream' }).responses),
    failsWith('internal', /failed to unmarshal/),
  );
});
