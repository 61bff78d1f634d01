// The commands beyond keys, in etcdctl's words, against a real member.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { parseCompare, parseOperation } from './client/txn.ts';
import { splitWords } from './client/words.ts';
import { runCommandLine } from './program.ts';
import { FakeHost, type FakeHostOptions } from './testing/fake-host.ts';
import { type RealServer, startRealServer } from './testing/real-server.ts';

let server: RealServer;
before(async () => {
  server = await startRealServer();
});
after(() => server.close());

interface Running {
  readonly host: FakeHost;
  readonly code: Promise<number>;
}

function start(argv: readonly string[], options: FakeHostOptions = {}): Running {
  const host = new FakeHost({ ...options, env: { DISTROKV_ENDPOINTS: server.endpoint, ...options.env } });
  return { host, code: runCommandLine(argv, host) };
}

async function run(argv: readonly string[], stdin?: string): Promise<{ code: number; out: string; err: string }> {
  const { host, code } = start(argv, stdin === undefined ? {} : { stdin });
  return { code: await code, out: host.out, err: host.err };
}

async function ok(...argv: string[]): Promise<string> {
  const { code, out, err } = await run(argv);
  assert.deepEqual([code, err], [0, ''], out);
  return out;
}

const idIn = (text: string): string => /lease ([0-9a-f]{16})/.exec(text)?.[1] ?? '';

test('lease: grant, put, timetolive, list, keep-alive, revoke', async () => {
  const granted = await ok('lease', 'grant', '100');
  const id = idIn(granted);
  assert.equal(granted, `lease ${id} granted with TTL(100s)\n`);
  await ok('put', 'leased', 'v', '--lease', id);
  assert.match(
    await ok('lease', 'timetolive', id, '--keys'),
    /^lease \w+ granted with TTL\(100s\), remaining\((100|99)s\), attached keys\(\[leased\]\)\n$/,
  );
  assert.equal(await ok('lease', 'list'), `found 1 leases\n${id}\n`);
  assert.equal(await ok('lease', 'keep-alive', '--once', id), `lease ${id} keepalived with TTL(100)\n`);
  assert.match(await ok('lease', 'timetolive', id, '-w', 'json'), /"ttl":\d+,"granted-ttl":100/);
  assert.match(await ok('lease', 'timetolive', id, '-w', 'fields'), /"GrantedTTL" : 100\n/);
  assert.equal(await ok('lease', 'revoke', id), `lease ${id} revoked\n`);
  assert.equal(await ok('get', 'leased'), '');
  assert.equal(await ok('lease', 'timetolive', id), `lease ${id} already expired\n`);
  assert.match((await run(['lease', 'revoke', id])).err, /requested lease not found/);
  assert.equal((await run(['lease', 'revoke', 'xyz'])).code, 2);
});

test('lease keep-alive goes on until it is stopped, or the lease has ended', async () => {
  const id = idIn(await ok('lease', 'grant', '2'));
  const alive = start(['lease', 'keep-alive', id]);
  await alive.host.saw(`lease ${id} keepalived with TTL(2)\n`);
  await ok('lease', 'revoke', id);
  assert.equal(await alive.code, 0);
  assert.match(alive.host.out, /expired or revoked\.\n$/);
});

test('watch: from a revision on, with the pairs before, until it is stopped; -w json', async () => {
  await ok('put', 'w/a', '1');
  const { header } = JSON.parse(await ok('get', 'w/a', '-w', 'json')) as { header: { revision: number } };
  const watching = start(['watch', '--prefix', 'w/', '--rev', String(header.revision), '--prev-kv']);
  const json = start(['watch', 'w/a', '--rev', String(header.revision), '-w', 'json']);
  await ok('put', 'w/a', '2');
  await ok('del', 'w/a');
  await watching.host.saw('DELETE\nw/a\n2\nw/a\n\n');
  assert.equal(watching.host.out, 'PUT\nw/a\n1\nPUT\nw/a\n1\nw/a\n2\nDELETE\nw/a\n2\nw/a\n\n');
  await json.host.saw('"type":1');
  for (const each of [watching, json]) {
    each.host.requestStop('enough');
    assert.equal(await each.code, 0);
  }
});

test('watch: a program is run for each event; compacted history is an error', async () => {
  const watching = start(['watch', 'run/a', '', '--', './reload.sh', 'x', '--rev', '1']);
  const ran = async (): Promise<void> => {
    while (watching.host.ran.length === 0) await ok('put', 'run/a', 'go');
  };
  await ran();
  assert.deepEqual(watching.host.ran[0]?.program, ['./reload.sh', 'x', '--rev', '1']);
  assert.deepEqual(
    [watching.host.ran[0]?.variables['ETCD_WATCH_KEY'], watching.host.ran[0]?.variables['ETCD_WATCH_EVENT_TYPE']],
    ['"run/a"', '"PUT"'],
  );
  watching.host.requestStop('enough');
  await watching.code;
  const { header } = JSON.parse(await ok('get', 'run/a', '-w', 'json')) as { header: { revision: number } };
  assert.equal(await ok('compaction', String(header.revision)), `compacted revision ${header.revision}\n`);
  assert.match((await run(['watch', 'run/a', '--rev', '1'])).err, /compacted away: revisions from \d+ on/);
  assert.match((await run(['compaction', '1'])).err, /required revision has been compacted/);
});

test('watch -i: each line is a watch; what makes no sense is told', async () => {
  await ok('put', 'i/a', '1');
  const { header } = JSON.parse(await ok('get', 'i/a', '-w', 'json')) as { header: { revision: number } };
  const stdin = `watch --rev=${header.revision} i/a\nwatch --rev ${header.revision} "i/b"\nnonsense\nwatch --what x\n`;
  const watching = start(['watch', '-i'], { stdin });
  await ok('put', 'i/b', '2');
  await watching.host.saw('PUT\ni/b\n2\n');
  assert.match(watching.host.out, /PUT\ni\/a\n1\n/);
  assert.match(watching.host.err, /a line begins with "watch"[^]*no flag --what/);
  watching.host.requestStop('enough');
  assert.equal(await watching.code, 0);
});

test('txn: compares and both branches from standard input', async () => {
  await ok('put', 't/light', 'off');
  const script =
    'value("t/light") = "off"\nver("t/none") = "0"\n\nput t/light "on and on"\nget t/light\ndel t/x --prefix\n\nget t/light\n\n';
  const done = await run(['txn'], script);
  assert.deepEqual([done.code, done.out], [0, 'SUCCESS\n\nOK\n\nt/light\non and on\n\n0\n']);
  assert.equal((await run(['txn'], script)).out, 'FAILURE\n\nt/light\non and on\n');
  assert.match((await run(['txn', '-w', 'json'], script)).out, /"responses":\[\{"Response":\{"response_range":/);
  assert.match((await run(['txn', '-i'], '\n\n\n')).out, /^compares:\nsuccess requests \(get, put, del\):\nfailure requests/);
  assert.equal((await run(['txn'], 'size("a") = "1"\n\n\n\n')).code, 2);
});

test('lock: the second waits; a program finds key and fencing token; elect and listen', async () => {
  const first = start(['lock', 'mutex']);
  await first.host.saw('mutex/');
  const second = start(['lock', 'mutex', '--', 'make', '-j2']);
  while ((await ok('get', '--prefix', 'mutex/', '--count-only')) !== '2\n');
  assert.equal(second.host.ran.length, 0);
  first.host.requestStop('enough');
  assert.deepEqual([await first.code, await second.code], [0, 0]);
  assert.deepEqual(second.host.ran[0]?.program, ['make', '-j2']);
  assert.match(second.host.ran[0]?.variables['ETCD_LOCK_KEY'] ?? '', /^mutex\/[0-9a-f]+$/);
  assert.match(second.host.ran[0]?.variables['ETCD_LOCK_REV'] ?? '', /^\d+$/);
  assert.equal(await ok('get', '--prefix', 'mutex/', '--count-only'), '0\n');

  const leader = start(['elect', 'crown', 'one']);
  await leader.host.saw('one\n');
  const listener = start(['elect', '-l', 'crown']);
  await listener.host.saw('one\n');
  const next = start(['elect', 'crown', 'two']);
  while ((await ok('get', '--prefix', 'crown/', '--count-only')) !== '2\n');
  leader.host.requestStop('enough');
  await next.host.saw('two\n');
  await listener.host.saw('two\n');
  for (const each of [next, listener]) each.host.requestStop('enough');
  assert.deepEqual(await Promise.all([leader.code, next.code, listener.code]), [0, 0, 0]);
});

test('alarm, defrag, endpoint hashkv', async () => {
  assert.equal(await ok('alarm', 'list'), '');
  assert.equal(await ok('alarm', 'disarm'), '');
  assert.equal(await ok('defrag'), `Finished defragmenting etcd member[${server.endpoint}]\n`);
  assert.match(await ok('endpoint', 'hashkv'), new RegExp(`^${server.endpoint}, \\d+\\n$`));
  assert.match(await ok('endpoint', 'hashkv', '-w', 'table'), /HASHREVISION/);
});

test('a full store: puts are refused and an alarm is on; after a delete and a compaction there is room, and the alarm is gone by itself', async (t) => {
  const small = await startRealServer({ quotaBytes: 400_000 });
  t.after(() => small.close());
  const at = (...argv: string[]): Promise<{ code: number; out: string; err: string }> => run([...argv, '--endpoints', small.endpoint]);
  let refused = '';
  for (let i = 0; refused === ''; i++) refused = (await at('put', `k${i}`, randomBytes(20_000).toString('hex'))).err;
  assert.match(refused, /database space exceeded/);
  while (!(await at('alarm', 'list')).out.includes('alarm:NOSPACE'));
  assert.match((await at('put', 'small', 'x')).err, /database space exceeded/);
  assert.match((await at('status', '-w', 'json')).out, /NOSPACE/);
  assert.match((await at('del', '--prefix', 'k')).out, /^\d+\n$/);
  const { header } = JSON.parse((await at('get', 'k', '-w', 'json')).out) as { header: { revision: number } };
  assert.equal((await at('compaction', String(header.revision), '--physical')).code, 0);
  while ((await at('alarm', 'list')).out !== '');
  assert.equal((await at('put', 'small', 'x')).out, 'OK\n');
});

test('put: --ignore-value keeps the value, and --ignore-lease the lease', async () => {
  const id = idIn(await ok('lease', 'grant', '100'));
  await ok('put', 'kept', 'v', '--lease', id);
  await ok('put', 'kept', 'w', '--ignore-lease');
  assert.match(await ok('lease', 'timetolive', id, '--keys'), /kept/);
  await ok('put', 'kept', '--ignore-value');
  assert.equal(await ok('get', 'kept'), 'kept\nw\n');
  assert.equal((await run(['put', 'kept', 'v', '--ignore-value'])).code, 2);
});

test('words, compares and operations as people write them', () => {
  assert.deepEqual(splitWords(`put "a b" 'c "d"' e\\f "x\\n\\x41\\""`), ['put', 'a b', 'c "d"', 'e\\f', 'x\nA"']);
  assert.throws(() => splitWords('put "a'), /quote does not end/);
  assert.deepEqual(parseCompare('mod("k") > "7"').targetUnion, { case: 'modRevision', value: 7 });
  assert.deepEqual(parseCompare(' lease("k") = "ff"').targetUnion, { case: 'lease', value: 255n });
  for (const bad of ['', 'mod(k) > 1', 'mod("k") > "x"', 'mod("k") >= "1"']) assert.throws(() => parseCompare(bad), { code: 'usage' }, bad);
  for (const bad of ['put k', 'get', 'go k', 'get a b c', 'del k --all']) assert.throws(() => parseOperation(bad), { code: 'usage' }, bad);
});

test('get sorts, and knows when keys were created and changed', async () => {
  const put = async (key: string, value: string): Promise<number> =>
    (JSON.parse(await ok('put', key, value, '-w', 'json')) as { header: { revision: number } }).header.revision;
  await put('sorted/a', '2');
  const second = await put('sorted/b', '3');
  await put('sorted/c', '1');
  const last = await put('sorted/a', '2');
  const get = async (...flags: string[]): Promise<string> =>
    (await ok('get', 'sorted/', '--prefix', '--keys-only', ...flags)).replaceAll('sorted/', '').replaceAll('\n', '');
  assert.equal(await get('--order', 'DESCEND'), 'cba');
  assert.equal(await get('--sort-by', 'value'), 'cab');
  assert.equal(await get('--sort-by', 'VERSION', '--order', 'DESCEND', '--limit', '1'), 'a');
  assert.equal(await get('--sort-by', 'MODIFY'), 'bca');
  assert.equal(await get('--sort-by', 'CREATE', '--order', 'descend'), 'cba');
  assert.equal(await get('--min-mod-rev', String(last)), 'a');
  assert.equal(await get('--max-mod-rev', String(last - 1)), 'bc');
  assert.equal(await get('--min-create-rev', String(second), '--max-create-rev', String(second)), 'b');
});
