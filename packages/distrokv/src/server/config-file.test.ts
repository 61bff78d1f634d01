import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig, readConfigFile } from './config-file.ts';

test('keys become values with their line; empty ones are left out', () => {
  assert.deepEqual(parseConfig("# a member\nname: 'n1'\n\nheartbeat-interval: 200\nwal-dir:\n", 'etcd.yml'), [
    { flag: 'name', value: 'n1', source: 'etcd.yml:2: name' },
    { flag: 'heartbeat-interval', value: '200', source: 'etcd.yml:4: heartbeat-interval' },
  ]);
  assert.deepEqual(parseConfig('', 'etcd.yml'), []);
  assert.deepEqual(parseConfig('# nothing\n', 'etcd.yml'), []);
});

test("the shape of etcd's own sample is taken: lists, flags without effect, TLS sections that are off", () => {
  const text = `
name: 'default'
snapshot-count: 10000
initial-cluster:
proxy: 'off'
client-transport-security:
  cert-file:
  client-cert-auth: false
peer-transport-security:
  key-file: ''
log-outputs: [stderr, stdout]
force-new-cluster: false
`;
  const values = new Map(parseConfig(text, 'f').map((given) => [given.flag, given.value]));
  assert.deepEqual(
    [...values],
    [
      ['name', 'default'],
      ['snapshot-count', '10000'],
      ['proxy', 'off'],
      ['log-outputs', 'stderr,stdout'],
      ['force-new-cluster', 'false'],
    ],
  );
});

test('the keys of a TLS section are the flags of its side', () => {
  assert.deepEqual(parseConfig('peer-transport-security:\n  client-cert-auth: true\n', 'f'), [
    { flag: 'peer-client-cert-auth', value: 'true', source: 'f:1: peer-transport-security.client-cert-auth' },
  ]);
});

const faults: readonly [string, string, RegExp][] = [
  ['a key that does not exist', 'name: a\ndata-dirr: /x\n', /^f:2: data-dirr: there is no such setting$/],
  ['a number that is a list', 'name: a\n\nheartbeat-interval: [1]\n', /^f:3: heartbeat-interval: is not a whole number$/],
  ['a fraction', 'election-timeout: 1.5\n', /^f:1: election-timeout: is not a whole number$/],
  ['a text that is a section', 'name: {a: 1}\n', /^f:1: name: is not a text$/],
  ['broken YAML', 'name: a\n  bad: [1\n', /^f:\d: is not YAML: /],
  ['a key given twice', 'name: a\nname: b\n', /^f:2: is not YAML: /],
  ['no mapping at all', '- a\n- b\n', /^f: is not a list of "key: value" lines$/],
  ['aliases without end', `a: &a [1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]\n`, /^f: is not YAML: Excessive alias count/],
];
for (const [what, text, message] of faults) {
  test(`${what} is told with its line`, () => {
    assert.throws(
      () => parseConfig(text, 'f'),
      (error: Error) => message.test(error.message) || assert.fail(error.message),
    );
  });
}

test('a file that is missing, a directory, binary or huge is told as such', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'distrokv-config-'));
  t.after(() => rm(directory, { recursive: true }));
  const binary = join(directory, 'binary.yml');
  await writeFile(binary, Uint8Array.of(0xff, 0xfe, 0x00));
  const huge = join(directory, 'huge.yml');
  await writeFile(huge, Buffer.alloc(1024 * 1024 + 1, '#'));
  for (const path of [join(directory, 'missing.yml'), directory, binary, huge])
    await assert.rejects(readConfigFile(path), (error: Error) => error.message.startsWith(`--config-file ${path}: cannot be read: `));
});
