// What every binding of `Network` promises, as tests.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { concatBytes, deferred, type Deferred, fromUtf8, utf8 } from '@distrokv/base';
import type { Env } from '../env.ts';
import { NetError } from '../net-error.ts';
import type { Listener, NetErrorCode, Socket } from '../net.ts';

type MakeEnv = (t: TestContext) => Env | Promise<Env>;

/** One end of a connection, and all that happened to it. */
class End {
  readonly socket: Socket;
  readonly received: Uint8Array[] = [];
  readonly ended: Deferred<void> = deferred();
  readonly closed: Deferred<Error | undefined> = deferred();
  drains = 0;
  bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket, onData?: (bytes: Uint8Array) => void) {
    this.socket = socket;
    socket.open({
      onData: (bytes) => {
        this.received.push(bytes);
        this.bytes += bytes.length;
        onData?.(bytes);
        this.#wake();
      },
      onDrain: () => {
        this.drains++;
        this.#wake();
      },
      onEnd: () => this.ended.resolve(),
      onClose: (error) => this.closed.resolve(error),
    });
  }

  get text(): string {
    return fromUtf8(concatBytes(this.received));
  }

  /** Resolves when something happened that makes `condition` true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

interface Connected {
  readonly client: End;
  readonly server: End;
  readonly listener: Listener;
}

async function connected(t: TestContext, env: Env): Promise<Connected> {
  const accepted = deferred<End>();
  const listener = await env.net.listen({ host: '127.0.0.1', port: 0 }, (socket) => accepted.resolve(new End(socket)));
  const client = new End(await env.net.connect({ host: '127.0.0.1', port: listener.port }));
  const server = await accepted.promise;
  t.after(async () => {
    client.socket.destroy();
    server.socket.destroy();
    await listener.close();
  });
  return { client, server, listener };
}

async function failsWith(promise: Promise<unknown>, code: NetErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof NetError && error.code === code && !error.message.includes('\n'));
}

export function netContract(binding: string, makeEnv: MakeEnv): void {
  describe(`${binding}: connections`, () => {
    test('bytes arrive in order, both ways', async (t) => {
      const { client, server } = await connected(t, await makeEnv(t));
      for (let i = 0; i < 100; i++) client.socket.write(utf8(`${i},`));
      server.socket.write(utf8('hello'));
      const expected = Array.from({ length: 100 }, (_, i) => `${i},`).join('');
      await server.until(() => server.bytes === expected.length);
      await client.until(() => client.bytes === 5);
      assert.equal(server.text, expected);
      assert.equal(client.text, 'hello');
      assert.match(client.socket.remote, /^127\.0\.0\.1:\d+$/);
      assert.match(server.socket.remote, /^127\.0\.0\.1:\d+$/);
      assert.equal(client.socket.tls, undefined);
    });

    test('a writer learns that the reader is behind, and that it has caught up', async (t) => {
      const { client, server } = await connected(t, await makeEnv(t));
      server.socket.pause();
      const block = new Uint8Array(64 << 10).fill(7);
      let written = 0;
      // The host keeps some on the way; in the end it takes no more.
      while (written < 256 << 20) {
        written += block.length;
        if (!client.socket.write(block)) break;
      }
      assert.ok(written < 256 << 20, `${written} bytes were taken, unread`);
      server.socket.resume();
      await client.until(() => client.drains > 0);
      await server.until(() => server.bytes === written);
      assert.ok(client.socket.write(block), 'there is room again');
    });

    test('one side ends, the other may go on, and then both are closed without an error', async (t) => {
      const { client, server } = await connected(t, await makeEnv(t));
      client.socket.write(utf8('question'));
      client.socket.end();
      assert.equal(client.socket.write(utf8('too late')), false);
      await server.ended.promise;
      assert.equal(server.text, 'question');
      server.socket.write(utf8('answer'));
      server.socket.end();
      assert.equal(await client.closed.promise, undefined);
      assert.equal(await server.closed.promise, undefined);
      assert.equal(client.text, 'answer');
    });

    test('a connection that is destroyed closes on both sides', async (t) => {
      const { client, server } = await connected(t, await makeEnv(t));
      server.socket.destroy();
      assert.equal(await server.closed.promise, undefined);
      // A host says goodbye for a process that is gone, so this may look like an end.
      await Promise.race([client.closed.promise, client.ended.promise]);
      client.socket.destroy();
      client.socket.write(utf8('nobody'));
      await client.closed.promise;
    });

    test('a connection can be handed on', async (t) => {
      const { client, server } = await connected(t, await makeEnv(t));
      client.socket.write(utf8('for the first'));
      await server.until(() => server.bytes === 13);
      const next = new End(server.socket);
      client.socket.write(utf8('for the next'));
      await next.until(() => next.bytes === 12);
      assert.equal(server.text, 'for the first');
      client.socket.destroy();
      await Promise.race([next.closed.promise, next.ended.promise]);
    });

    test('a listener that closes leaves its connections alone', async (t) => {
      const env = await makeEnv(t);
      const { client, server, listener } = await connected(t, env);
      await listener.close();
      await failsWith(env.net.connect({ host: '127.0.0.1', port: listener.port }), 'refused');
      client.socket.write(utf8('still here'));
      await server.until(() => server.bytes === 10);
    });
  });

  describe(`${binding}: addresses`, () => {
    test('port 0 is a free one, and a busy one is refused', async (t) => {
      const env = await makeEnv(t);
      const first = await env.net.listen({ host: '127.0.0.1', port: 0 }, (socket) => socket.destroy());
      const second = await env.net.listen({ host: '127.0.0.1', port: 0 }, (socket) => socket.destroy());
      assert.ok(first.port > 0 && first.port !== second.port);
      await failsWith(
        env.net.listen({ host: '127.0.0.1', port: first.port }, () => undefined),
        'address-in-use',
      );
      await first.close();
      const again = await env.net.listen({ host: '127.0.0.1', port: first.port }, () => undefined);
      assert.equal(again.port, first.port);
      await again.close();
      await second.close();
    });

    test("an address that is not this host's is refused", async (t) => {
      const env = await makeEnv(t);
      await failsWith(
        env.net.listen({ host: '203.0.113.1', port: 0 }, () => undefined),
        'address-not-available',
      );
    });

    test('where nobody listens the connection is refused; who gives up is told so', async (t) => {
      const env = await makeEnv(t);
      const listener = await env.net.listen({ host: '127.0.0.1', port: 0 }, (socket) => socket.destroy());
      await listener.close();
      const { port } = listener;
      await failsWith(env.net.connect({ host: '127.0.0.1', port }), 'refused');
      await failsWith(env.net.connect({ host: '127.0.0.1', port, signal: AbortSignal.abort() }), 'aborted');
      const controller = new AbortController();
      const given = env.net.connect({ host: '127.0.0.1', port, signal: controller.signal });
      controller.abort();
      await failsWith(given, 'aborted');
    });
  });
}
