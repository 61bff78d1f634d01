// What only the network in memory does: it repeats itself, it takes its time, and it can be cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import { createMemoryEnv } from './env.ts';
import { MemoryNetwork } from './net.ts';
import { SimulatedTime } from './time.ts';

async function run(seed: number): Promise<string[]> {
  const time = new SimulatedTime();
  const network = new MemoryNetwork({ timers: time.timers, seed, minDelayMs: 1, maxDelayMs: 20, maxPieceBytes: 4 });
  const [a, b] = ['a', 'b'].map((host) => createMemoryEnv({ seed, time, network, host }));
  const events: string[] = [];
  const events4 = (name: string) => ({
    onData: (bytes: Uint8Array) => void events.push(`${time.monotonicMs()} ${name} ${fromUtf8(bytes)}`),
    onDrain: () => undefined,
    onEnd: () => void events.push(`${time.monotonicMs()} ${name} end`),
    onClose: () => void events.push(`${time.monotonicMs()} ${name} closed`),
  });
  await b?.net.listen({ host: 'b', port: 7 }, (socket) => {
    socket.open(events4('b'));
    socket.write(utf8('from the server'));
    socket.end();
  });
  const connecting = a?.net.connect({ host: 'b', port: 7 });
  await time.advance(20);
  const socket = await connecting;
  socket?.open(events4('a'));
  socket?.write(utf8('from the client'));
  socket?.end();
  await time.advance(10_000);
  return events;
}

test('the same seed gives the same run, another gives another', async () => {
  const first = await run(1);
  assert.deepEqual(await run(1), first);
  assert.notDeepEqual(await run(2), first);
  const heard = first.filter((line) => line.includes(' b ') && !/ (end|closed)$/.test(line)).map((line) => line.replace(/^\S+ b /, ''));
  assert.equal(heard.join(''), 'from the client');
  assert.equal(first.filter((line) => line.endsWith('closed')).length, 2);
});

test('what is sent over a cut wire arrives when it is healed; a host that crashes closes its connections', async () => {
  const time = new SimulatedTime();
  const network = new MemoryNetwork({ timers: time.timers, seed: 1 });
  const [a, b] = [network.at('a'), network.at('b')];
  const heard: string[] = [];
  const closed: string[] = [];
  const events = (name: string) => ({
    onData: (bytes: Uint8Array) => void heard.push(`${name} ${fromUtf8(bytes)}`),
    onDrain: () => undefined,
    onEnd: () => undefined,
    onClose: (error: Error | undefined) => void closed.push(`${name} ${error?.message ?? 'by agreement'}`),
  });
  await b.listen({ host: 'b', port: 7 }, (socket) => socket.open(events('b')));
  network.cut('a', 'b');
  const connecting = a.connect({ host: 'b', port: 7 });
  await time.settle();
  network.heal('a', 'b');
  const socket = await connecting;
  socket.open(events('a'));
  network.cut('a', 'b');
  socket.write(utf8('hello'));
  await time.settle();
  assert.deepEqual(heard, []);
  network.heal('a', 'b');
  await time.settle();
  assert.deepEqual(heard, ['b hello']);
  network.crash('b');
  await time.settle();
  assert.deepEqual(closed.sort(), ['a connection reset by the other side', 'b by agreement']);
  await assert.rejects(a.connect({ host: 'b', port: 7 }), { code: 'refused' });
});
