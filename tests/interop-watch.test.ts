// Clients of other makers that watch, lease, lock and elect, against one node and against a follower of three; and the same locks and elections through
// several clients at once.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from '@distrokv/client';
import { fromUtf8 } from '@distrokv/base';
import { nodesForTests } from './support/nodes.ts';

const run = promisify(execFile);
const environment = { ...process.env, ETCDCTL_API: '3' };
const nodes = nodesForTests();

async function hasEtcdctl(): Promise<boolean> {
  return run('etcdctl', ['version']).then(
    () => true,
    () => false,
  );
}

/** A command that goes on: what it has printed so far, and when it has printed something. */
class Running {
  readonly child: ChildProcess;
  #output = '';
  #onOutput: () => void = () => {};

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: environment });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.#onOutput();
    });
  }

  printed(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#onOutput = () => {
        if (this.#output.includes(text)) resolve(this.#output);
      };
      this.#onOutput();
      this.child.once('exit', () => reject(new Error(`it ended before it printed ${JSON.stringify(text)}: ${this.#output}`)));
    });
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGINT');
    await exited;
  }
}

test('etcdctl: watch, leases, compaction, alarms, hashes', async (t) => {
  if (!(await hasEtcdctl())) return t.skip("etcdctl is not installed here (Debian's package etcd-client)");
  for (const endpoint of nodes.endpoints) {
    const etcdctl = async (...args: string[]): Promise<string> =>
      (await run('etcdctl', [`--endpoints=${endpoint}`, ...args], { env: environment })).stdout;
    await etcdctl('put', 'ctl/w', '1');
    const { header } = JSON.parse(await etcdctl('get', 'ctl/w', '-w', 'json')) as { header: { revision: number } };
    const watching = new Running('etcdctl', [
      `--endpoints=${endpoint}`,
      'watch',
      'ctl/',
      '--prefix',
      '--prev-kv',
      `--rev=${header.revision}`,
    ]);
    await watching.printed('PUT\nctl/w\n1\n');
    await etcdctl('put', 'ctl/w', '2');
    await etcdctl('del', 'ctl/w');
    assert.equal(await watching.printed('DELETE\nctl/w\n2\n'), 'PUT\nctl/w\n1\nPUT\nctl/w\n1\nctl/w\n2\nDELETE\nctl/w\n2\nctl/w\n\n');
    await watching.stop();

    const granted = await etcdctl('lease', 'grant', '60');
    const [, id = ''] = /^lease ([0-9a-f]{16}) granted with TTL\(60s\)\n$/.exec(granted) ?? [];
    await etcdctl('put', 'ctl/l', 'v', `--lease=${id}`);
    assert.match(
      await etcdctl('lease', 'timetolive', id, '--keys'),
      /granted with TTL\(60s\), remaining\(\d+s\), attached keys\(\[ctl\/l\]\)/,
    );
    assert.equal(await etcdctl('lease', 'keep-alive', '--once', id), `lease ${id} keepalived with TTL(60)\n`);
    assert.match(await etcdctl('lease', 'list'), new RegExp(id));
    assert.equal(await etcdctl('lease', 'revoke', id), `lease ${id} revoked\n`);
    assert.equal(await etcdctl('get', 'ctl/l'), '');

    assert.equal(await etcdctl('compaction', String(header.revision + 1), '--physical'), `compacted revision ${header.revision + 1}\n`);
    await assert.rejects(etcdctl('get', 'ctl/w', `--rev=${header.revision}`), /required revision has been compacted/);
    assert.equal(await etcdctl('alarm', 'list'), '');
    assert.match(await etcdctl('defrag'), /Finished defragmenting/);
    assert.match(await etcdctl('endpoint', 'hashkv'), /, \d+\n/);
  }
});

test('one lock, one election: etcdctl, this client and npm etcd3 stand in the same line', async (t) => {
  if (!(await hasEtcdctl())) return t.skip('no etcdctl');
  for (const endpoint of nodes.endpoints) {
    await using client = createClient({ endpoints: [endpoint] });
    const theirs = new Running('etcdctl', [`--endpoints=${endpoint}`, 'lock', 'line/lock']);
    const theirKey = (await theirs.printed('\n')).trim();
    const waiting = client.lock('line/lock');
    while ((await client.get('line/lock/', { prefix: true, countOnly: true })).count < 2);
    assert.equal((await client.get(theirKey)).count, 1, 'etcdctl holds it');
    await theirs.stop();
    const held = await waiting;
    const { kvs } = await client.get(held.key);
    assert.equal(kvs[0]?.createRevision, held.revision, 'the fencing token is the create revision');
    const after = run('etcdctl', [`--endpoints=${endpoint}`, 'lock', 'line/lock', 'echo', 'then etcdctl'], { env: environment });
    while ((await client.get('line/lock/', { prefix: true, countOnly: true })).count < 2);
    await held.release();
    assert.match((await after).stdout, /then etcdctl/);

    const leader = await client.elect('line/election', 'ours');
    const candidate = new Running('etcdctl', [`--endpoints=${endpoint}`, 'elect', 'line/election', 'theirs']);
    const listener = new Running('etcdctl', [`--endpoints=${endpoint}`, 'elect', '-l', 'line/election']);
    await listener.printed('ours');
    while ((await client.get('line/election/', { prefix: true, countOnly: true })).count < 2);
    await leader.release();
    await candidate.printed('theirs');
    await listener.printed('theirs');
    for await (const { value } of client.observe('line/election')) {
      assert.equal(fromUtf8(value), 'theirs');
      break;
    }
    await Promise.all([candidate.stop(), listener.stop()]);
  }
});

test('reliability 30: a watch outlives its member, and never goes back in time: events of a cluster whose members fall one after the other come once, in order, without a gap', async () => {
  await using client = createClient({ endpoints: nodes.three.endpoints });
  const started = await client.put('fall/0', '0');
  const seen: number[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    const options = { prefix: true, startRevision: started.header?.revision ?? 0, signal: stop.signal };
    for await (const { events } of client.watch('fall/', options))
      for (const event of events) {
        const n = Number(fromUtf8(event.kv?.value ?? new Uint8Array(0)));
        seen.push(n);
        if (n === 60) stop.abort();
      }
  })();
  for (let i = 1; i <= 60; i++) {
    if (i % 20 === 0) {
      const member = i / 20 - 1;
      await nodes.three.kill(member);
      await nodes.three.startAll();
    }
    for (;;) {
      // A put whose fate is unknown is made again under the same key and value: at most one event more, which the key tells.
      const done = await client.put(`fall/${i}`, String(i)).catch(() => undefined);
      if (done) break;
    }
  }
  await watching;
  // A put that was made again may show twice; nothing may be left out, or come before what it follows.
  const firsts = seen.filter((n, at) => seen.indexOf(n) === at);
  assert.deepEqual(
    firsts,
    Array.from({ length: 61 }, (_, n) => n),
  );
});

test('reliability 39: two may believe that they hold a lock; the fencing token tells them apart (Jepsen etcd 3.4.3)', async () => {
  for (const endpoint of nodes.endpoints) {
    await using client = createClient({ endpoints: [endpoint] });
    const paused = await client.lock('fence/lock');
    // What an expiry does to a holder that is paused: its key goes, and it has not heard of it yet.
    await client.delete(paused.key);
    const next = await client.lock('fence/lock');
    assert.ok(next.revision > paused.revision);
    const guarded = async (holder: { key: Uint8Array; revision: number }): Promise<boolean> => {
      const compare = {
        key: holder.key,
        result: 0,
        target: 1,
        targetUnion: { case: 'createRevision', value: holder.revision } as const,
        rangeEnd: new Uint8Array(0),
      };
      return (await client.txn({ compare: [compare] })).succeeded;
    };
    assert.deepEqual(
      [await guarded(paused), await guarded(next)],
      [false, true],
      'a write that names its token is refused to who holds it no longer',
    );
    await next.release();
    await paused.release();
  }
});
