// The client commands as a person types them, over a real connection to a small store.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createServer } from '@distrokv/grpc';
import { runCommandLine } from './program.ts';
import { type FakeCluster, startFakeCluster } from './testing/fake-cluster.ts';
import { FakeHost, type FakeHostOptions } from './testing/fake-host.ts';

let cluster: FakeCluster;
before(async () => {
  cluster = await startFakeCluster();
});
after(() => cluster.close());

interface Result {
  readonly code: number;
  readonly out: string;
  readonly outBytes: Uint8Array;
  readonly err: string;
}

async function run(argv: readonly string[], options: FakeHostOptions = {}): Promise<Result> {
  const host = new FakeHost({ ...options, env: { DISTROKV_ENDPOINTS: cluster.endpoint, ...options.env } });
  const code = await runCommandLine(argv, host);
  return { code, out: host.out, outBytes: host.outBytes, err: host.err };
}

/** Runs a command that succeeds; the answer is what it printed. */
async function ok(...argv: string[]): Promise<string> {
  const { code, out, err } = await run(argv);
  assert.deepEqual([code, err], [0, ''], out);
  return out;
}

beforeEach(async () => {
  await ok('del', '', '--prefix');
});

test('put, get, del in etcdctl’s words', async () => {
  assert.equal(await ok('put', 'greeting', 'hello'), 'OK\n');
  assert.equal(await ok('get', 'greeting'), 'greeting\nhello\n');
  assert.equal(await ok('put', 'greeting', 'bye', '--prev-kv'), 'OK\ngreeting\nhello\n');
  assert.equal(await ok('get', 'greeting', '--print-value-only'), 'bye\n');
  assert.equal(await ok('del', 'greeting', '--prev-kv'), '1\ngreeting\nbye\n');
  assert.equal(await ok('del', 'greeting'), '0\n');
  assert.equal(await ok('get', 'greeting'), '');
});

test('ranges: prefix, from a key, two keys, limit, keys, count', async () => {
  for (const key of ['a', 'ab', 'ac', 'b', 'c']) await ok('put', key, key.toUpperCase());
  assert.equal(await ok('get', '--prefix', 'a', '--keys-only'), 'a\n\nab\n\nac\n\n');
  assert.equal(await ok('get', 'ab', 'b'), 'ab\nAB\nac\nAC\n');
  assert.equal(await ok('get', '--from-key', 'b'), 'b\nB\nc\nC\n');
  assert.equal(await ok('get', '', '--prefix', '--limit', '1'), 'a\nA\n');
  assert.equal(await ok('get', '--prefix', '', '--count-only'), '5\n');
  assert.equal(await ok('del', 'a', 'b'), '3\n');
  assert.equal(await ok('del', '--from-key', 'b'), '2\n');
});

test('how to read is passed on', async () => {
  await ok('get', 'k', '--rev', '7', '--consistency=s');
  assert.deepEqual([cluster.lastRange()?.revision, cluster.lastRange()?.serializable], [7, true]);
  await ok('get', 'k');
  assert.deepEqual([cluster.lastRange()?.revision, cluster.lastRange()?.serializable], [0, false]);
});

test('the order, and bounds on revisions, are passed on; words that are none are told', async () => {
  await ok('get', 'k', '--prefix', '--sort-by', 'modify', '--order=descend', '--min-mod-rev', '3', '--max-mod-rev=9');
  const first = cluster.lastRange();
  assert.deepEqual([first?.sortTarget, first?.sortOrder, first?.minModRevision, first?.maxModRevision], [3, 2, 3, 9]);
  await ok('get', 'k', '--sort-by', 'VALUE', '--min-create-rev', '4', '--max-create-rev', '5');
  const second = cluster.lastRange();
  assert.deepEqual([second?.sortTarget, second?.sortOrder, second?.minCreateRevision, second?.maxCreateRevision], [4, 1, 4, 5]);
  assert.deepEqual(await run(['get', 'k', '--order', 'up']).then(({ code, err }) => [code, err]), [
    2,
    'Error: --order: "up" is neither ASCEND nor DESCEND\n',
  ]);
  assert.match((await run(['get', 'k', '--sort-by', 'age'])).err, /"age" is none of CREATE, KEY, MODIFY, VALUE, VERSION/);
});

test('a value comes from standard input, byte for byte', async () => {
  const value = Uint8Array.of(0, 255, 10, 13, 10);
  assert.equal((await run(['put', 'bin'], { stdin: value })).out, 'OK\n');
  assert.deepEqual((await run(['get', 'bin', '--print-value-only'])).outBytes, new Uint8Array([...value, 10]));
  assert.equal((await run(['put', 'bin', '-'], { stdin: 'dash' })).code, 0);
  assert.equal(await ok('get', 'bin', '--hex'), '\\x62\\x69\\x6e\n\\x64\\x61\\x73\\x68\n');
  const nobody = await run(['put', 'bin']);
  assert.deepEqual([nobody.code, nobody.err], [2, 'Error: put needs a value: distrokv put KEY VALUE, or pipe it in\n']);
});

test('keys that look like flags come after "--"', async () => {
  await ok('put', '--', '-x', '--prefix');
  assert.equal(await ok('get', '--', '-x'), '-x\n--prefix\n');
});

test('every format, with the flag before or after the verb, in one dash or two, or from the environment', async () => {
  await ok('put', 'k', 'v');
  const json = await ok('-w', 'json', 'get', 'k');
  assert.match(
    json,
    /^\{"header":\{"cluster_id":14841639068965178418,"member_id":\d+,"revision":\d+,"raft_term":2\},"kvs":\[\{"key":"aw==",.*"value":"dg=="\}\],"count":1\}\n$/,
  );
  assert.equal(await ok('get', 'k', '--write-out=json'), json);
  assert.equal(await ok('get', '-write-out', 'json', 'k'), json);
  assert.equal((await run(['get', 'k'], { env: { ETCDCTL_WRITE_OUT: 'json' } })).out, json);
  assert.match(await ok('get', 'k', '-w', 'fields'), /^"Key" : "k"$/m);
  assert.match(await ok('get', 'k', '-w', 'table'), /^\| k {3}\| v {5}\|/m);
});

test('status, health and members: a table for people, etcdctl’s lines for programs', async () => {
  const line = `${cluster.endpoint}, 667880157b8812c8, 3.7.1, 25 kB, true, false, 2, 0, 0, \n`;
  assert.equal(await ok('status'), line);
  assert.equal(await ok('endpoint', 'status'), line);
  assert.match(
    (await run(['status'], { terminal: true })).out,
    /^\| ENDPOINT .*\n\+-.*\n\| 127\.0\.0\.1:\d+ \| 667880157b8812c8 \| 3\.7\.1 /m,
  );
  assert.equal(await ok('endpoint', 'health'), `${cluster.endpoint} is healthy: successfully committed proposal: took = 0ms\n`);
  assert.equal(await ok('member', 'list'), '667880157b8812c8, started, default, http://127.0.0.1:2380, http://127.0.0.1:2379, false\n');
});

/** An address where nobody listens any more. */
async function deadEndpoint(): Promise<string> {
  const server = createServer();
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  await server.close({ graceMs: 0 });
  return `127.0.0.1:${port}`;
}

test('an endpoint that is down: told with what to do, exit code 1; the others are shown', async () => {
  const dead = await deadEndpoint();
  const put = await run(['--endpoints', dead, 'put', 'k', 'v']);
  assert.deepEqual(
    [put.code, put.out, put.err],
    [
      1,
      '',
      `Error: cannot reach ${dead}: connection refused: start a server with "distrokv server", or name one with --endpoints HOST:PORT\n`,
    ],
  );
  const status = await run(['--endpoints', `${dead},${cluster.endpoint}`, 'status']);
  assert.equal(status.code, 1);
  assert.match(status.out, new RegExp(`^${cluster.endpoint}, `));
  assert.equal(status.err, `Error: no status of ${dead}: connection refused\n`);
  const health = await run(['--endpoints', `${dead},${cluster.endpoint}`, 'endpoint', 'health', '-w', 'json']);
  assert.equal(health.code, 1);
  assert.match(health.out, /"health":false,"took":"0ms","error":"connection refused"\},\{.*"health":true/);
});

test('the ancestor’s client, in its own words', async () => {
  const client = async (...argv: string[]): Promise<string> => ok('client', '-addr', cluster.endpoint, ...argv);
  assert.equal(await client('-op', 'put', '-key', 'city', '-val', 'Köln'), '✓ PUT city = "Köln"\n');
  assert.equal(await client('-op=get', '-key=city'), '✓ GET city → "Köln"\n');
  assert.equal(await ok('get', 'city'), 'city\nKöln\n');
  assert.equal(await client('-op', 'delete', '-key', 'city'), '✓ DELETE city\n');
  assert.equal(await client('-op', 'get', '-key', 'city'), '✗ GET city → not found\n');
  const onTerminal = await run(['client', '-addr', cluster.endpoint, '-op', 'get', '-key', 'city'], { terminal: true });
  assert.equal(onTerminal.out, '\x1b[31m✗\x1b[39m GET city → not found\n');
  const dead = await run(['client', '-addr', await deadEndpoint(), '-op', 'put', '-key', 'k', '-val', 'v']);
  assert.equal(dead.code, 1);
  assert.match(dead.err, /^Error: PUT failed: cannot reach 127\.0\.0\.1:\d+: connection refused: /);
});
