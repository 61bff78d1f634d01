// What every command line ends in: an exit code, and for a mistake one line that says what is wrong.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createProgram, runCommandLine } from './program.ts';
import { FakeHost } from './testing/fake-host.ts';
import { version } from './version.ts';

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const host = new FakeHost();
  const code = await runCommandLine(argv, host);
  return { code, out: host.out, err: host.err };
}

test('--version is the version of the package', async () => {
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  assert.equal(version, manifest.version);
  assert.deepEqual(await run('--version'), { code: 0, out: `distrokv ${version} (etcd API 3.7)\n`, err: '' });
});

test('help is there for every command, with examples for those that do something by themselves', async () => {
  assert.deepEqual(await run(), await run('--help'));
  assert.match((await run()).out, /distrokv put greeting hello/);
  for (const command of createProgram(new FakeHost()).commands) {
    const { code, out, err } = await run(command.name(), '--help');
    assert.deepEqual([code, err], [0, '']);
    assert.ok(out.startsWith(`Usage: distrokv ${command.name()}`));
    if (['server', 'cluster', 'put', 'get', 'del', 'client'].includes(command.name())) assert.match(out, /Examples:\n {2}distrokv /);
  }
});

const mistakes: readonly [string[], RegExp][] = [
  [['gett', 'k'], /^Error: unknown command 'gett' \(Did you mean get\?\) \(see "distrokv --help"\)\n/],
  [['user', 'list'], /^Error: unknown command 'user': etcdctl has it; it is not here yet\n/],
  [['member', 'remov', '1'], /^Error: unknown command 'remov' \(Did you mean remove\?\) \(see "distrokv member --help"\)\n/],
  [['lsm', 'verify'], /^Error: missing required argument 'dir' \(see "distrokv lsm verify --help"\)\n/],
  [['get'], /^Error: missing required argument 'key'/],
  [['get', '--prefxi', 'k'], /^Error: unknown option '--prefxi' \(Did you mean --prefix\?\)/],
  [['put', 'a', 'b', 'c'], /^Error: too many arguments for 'put'/],
  [['get', 'a', '--limit'], /^Error: option '--limit <n>' argument missing/],
  [['get', 'a', '--limit', 'x'], /^Error: --limit: "x" is not a whole number\n/],
  [['get', 'a', '--prefix=maybe'], /^Error: --prefix: "maybe" is neither true nor false\n/],
  [['get', 'a', 'b', '--prefix'], /^Error: get takes one key with --prefix or --from-key/],
  [['get', 'a', '--prefix', '--from-key'], /^Error: --prefix and --from-key exclude each other\n/],
  [['get', 'a', '--consistency', 'q'], /^Error: --consistency: "q" is neither l/],
  [['get', 'a', '-w', 'xml'], /^Error: --write-out: "xml" is none of simple, json, table, fields\n/],
  [['get', 'a', '-w', 'json', '--print-value-only'], /^Error: --print-value-only goes with -w simple only\n/],
  [['get', 'a', '--command-timeout', '5'], /^Error: --command-timeout: "5" is not a duration/],
  [['get', 'a', '--endpoints', 'nowhere'], /^Error: endpoint "nowhere" is not of the form HOST:PORT\n/],
  [['client', '-op', 'frob', '-key', 'k'], /^Error: -op: "frob" is none of put, get, delete\n/],
  [['client', '-op', 'get'], /^Error: -key: say which key\n/],
  [['cluster', '--nodes', '9'], /^Error: --nodes: from 1 to 5 members\n/],
  [['server', '--dta-dir', 'x'], /^Error: unknown option '--dta-dir' \(Did you mean --data-dir\?\)/],
  [['server', '--auto-tls'], /^Error: --auto-tls: this version does not have TLS for clients by other files or rules yet/],
  [['server', '--listen-client-urls', 'x'], /^Error: --listen-client-urls: "x" is not of the form http:\/\/HOST:PORT\n/],
  [['server', '--initial-cluster', 'a=http://h:1'], /^Error: initial-cluster: does not name this member "default"/],
  [['server', '--config-file', '/does/not/exist.yml'], /^Error: --config-file \/does\/not\/exist\.yml: cannot be read: /],
  [['server', 'node1', 'port'], /^Error: server node1 port: the second word is no port/],
];
for (const [argv, message] of mistakes) {
  test(`distrokv ${argv.join(' ')}: one line, exit code 2`, async () => {
    const { code, out, err } = await run(...argv);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, message);
    assert.equal(err.indexOf('\n'), err.length - 1);
  });
}
