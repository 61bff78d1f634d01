// Thousands of connections that stay and say nothing, to a real member: what each costs it in memory, and what the others notice. DISTROKV_TEST_SCALE=5 opens 10,000;
// `node bench/attack.mjs idle` measures the same without a store behind it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Api } from './support/api.ts';
import { TestCluster } from './support/cluster.ts';

const CONNECTIONS = Math.min(10_000, 2000 * Number(process.env['DISTROKV_TEST_SCALE'] ?? 1));
/** At most so many are being opened at a time: the backlog of a listener has its bound. */
const AT_ONCE = 200;
/** Far more than it takes, for machines that are busy. */
const MAX_DELAY_MS = 5000;

const frame = (type: number, flags: number): Buffer => Buffer.of(0, 0, 0, type, flags, 0, 0, 0, 0);
/** A client's handshake, and what it says to the server's SETTINGS. */
const hello = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0), frame(4, 1)]);

/** Resolves when the server has answered the handshake; undefined if this process may have no more files. */
async function idleConnection(t: TestContext, port: number): Promise<Socket | undefined> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve(socket.on('data', () => undefined)));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EMFILE' ? resolve(undefined) : reject(error)));
    socket.write(hello);
  });
}

function memoryMiB(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

test(`${CONNECTIONS} idle connections to a member`, async (t) => {
  await using cluster = await TestCluster.start(1);
  const [, port] = cluster.endpoint(0).split(':');
  const { pid } = cluster.process(0).child;
  using api = new Api(cluster.endpoint(0));
  const slowest = async (calls: number): Promise<number> => {
    let worst = 0;
    for (let i = 0; i < calls; i++) {
      const startMs = performance.now();
      await api.put('k', String(i), { timeoutMs: MAX_DELAY_MS });
      worst = Math.max(worst, performance.now() - startMs);
    }
    return worst;
  };
  await slowest(500);
  const before = memoryMiB(pid as number);
  let open = 0;
  let worstMs = 0;
  while (open < CONNECTIONS) {
    const [delayMs, ...sockets] = await Promise.all([
      slowest(5),
      ...Array.from({ length: Math.min(AT_ONCE, CONNECTIONS - open) }, () => idleConnection(t, Number(port))),
    ]);
    const opened = sockets.filter((socket) => socket !== undefined).length;
    open += opened;
    worstMs = Math.max(worstMs, delayMs);
    if (opened < sockets.length) return t.skip(`this process may not open more than ${open} connections`);
  }
  worstMs = Math.max(worstMs, await slowest(100));
  const grown = (memoryMiB(pid as number) ?? 0) - (before ?? 0);
  t.diagnostic(
    `${((grown * 1024) / CONNECTIONS).toFixed(1)} KiB a connection; the slowest of the puts meanwhile took ${worstMs.toFixed(1)} ms`,
  );
  // What a member grows by anyway, and 16 KiB for each.
  assert.ok(grown < 48 + CONNECTIONS / 64, `${grown.toFixed()} MiB`);
});
