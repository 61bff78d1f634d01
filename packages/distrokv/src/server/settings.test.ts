import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildServerSetup, type ServerSetup } from './config.ts';
import { parseConfig } from './config-file.ts';
import { gatherSettings, type GivenValue, type Settings } from './settings.ts';

interface Given {
  readonly flags?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

async function gather({ flags = {}, env = {}, file = '' }: Given): Promise<Settings> {
  const given = Object.entries(flags).map(([flag, value]): GivenValue => ({ flag, value, source: `--${flag}` }));
  return gatherSettings({ flags: given, env, readConfigFile: async (path) => parseConfig(file, path) });
}

async function setup(given: Given): Promise<ServerSetup> {
  return buildServerSetup(await gather(given));
}

test("nothing said: etcd's defaults, and one member", async () => {
  const { config, logLevel, logFormat } = await setup({});
  assert.equal(config.name, 'default');
  assert.match(config.dataDirectory, /\/default\.distrokv$/);
  assert.deepEqual(
    [config.listenClientUrls, config.advertiseClientUrls, config.listenPeerUrls, config.initialAdvertisePeerUrls].map((urls) =>
      urls.map((url) => url.text),
    ),
    [['http://127.0.0.1:2379'], ['http://127.0.0.1:2379'], ['http://127.0.0.1:2380'], ['http://127.0.0.1:2380']],
  );
  assert.deepEqual(
    config.initialCluster.map((member) => member.name),
    ['default'],
  );
  assert.deepEqual([config.heartbeatMs, config.electionMs, config.quotaBytes], [100, 1000, 2 * 1024 ** 3]);
  assert.deepEqual([logLevel, logFormat], ['info', undefined]);
});

test('a flag goes before DISTROKV_*, that before ETCD_*, that before the default', async () => {
  const env = { DISTROKV_NAME: 'ours', ETCD_NAME: 'theirs' };
  assert.equal((await setup({ flags: { name: 'flag' }, env })).config.name, 'flag');
  assert.equal((await setup({ env })).config.name, 'ours');
  assert.equal((await setup({ env: { ETCD_NAME: 'theirs' } })).config.name, 'theirs');
  assert.equal((await setup({ env: { DISTROKV_NAME: '', ETCD_NAME: 'theirs' } })).config.name, 'theirs');
  assert.equal((await setup({ env: { ETCD_NAME: '' } })).config.name, 'default');
});

test('a config file stands alone, and says what it put aside', async () => {
  const given = {
    flags: { 'config-file': 'c.yml', name: 'flag' },
    env: { ETCD_QUOTA_BACKEND_BYTES: '5' },
    file: 'name: filed\nelection-timeout: 2000\n',
  };
  const settings = await gather(given);
  const { config } = buildServerSetup(settings);
  assert.deepEqual([config.name, config.electionMs, config.quotaBytes], ['filed', 2000, 2 * 1024 ** 3]);
  assert.deepEqual(settings.warnings, ['--name, ETCD_QUOTA_BACKEND_BYTES: ignored, because the config file c.yml is used alone']);
});

test('reads rest on clocks only when that is asked for, and then on a bound', async () => {
  assert.equal((await setup({})).config.leaseReads, undefined);
  assert.deepEqual((await setup({ flags: { 'lease-reads': 'true' } })).config.leaseReads, { maxDrift: 0.01 });
  const given = { 'lease-reads': 'true', 'max-clock-drift': '.002' };
  assert.deepEqual((await setup({ flags: given })).config.leaseReads, { maxDrift: 0.002 });
});

test('the quota: 0 is 2 GiB, negative is none', async () => {
  assert.equal((await setup({ flags: { 'quota-backend-bytes': '0' } })).config.quotaBytes, 2 * 1024 ** 3);
  assert.equal((await setup({ flags: { 'quota-backend-bytes': '-1' } })).config.quotaBytes, Infinity);
  assert.equal((await setup({ flags: { 'quota-backend-bytes': '12345' } })).config.quotaBytes, 12345);
});

test('what is told to others follows what is listened on, but never "every address"', async () => {
  const { config } = await setup({
    flags: { 'listen-client-urls': 'http://10.0.0.1:1,http://10.0.0.2:1', 'listen-peer-urls': 'http://10.0.0.1:2' },
  });
  assert.deepEqual(
    config.advertiseClientUrls.map((url) => url.text),
    ['http://10.0.0.1:1', 'http://10.0.0.2:1'],
  );
  assert.equal(config.initialCluster[0]?.peerUrls[0]?.text, 'http://10.0.0.1:2');
  for (const everywhere of ['http://0.0.0.0:2379', 'http://[::]:2379']) {
    await assert.rejects(
      setup({ flags: { 'listen-client-urls': everywhere } }),
      /is no address that others can dial: say --advertise-client-urls too/,
    );
    await assert.rejects(setup({ flags: { 'listen-peer-urls': everywhere } }), /say --initial-advertise-peer-urls too/);
  }
});

test("etcd's flags without effect are named in one warning, wherever they come from", async () => {
  const settings = await gather({ flags: { 'snapshot-count': '5', 'pre-vote': 'true' }, env: { ETCD_LOGGER: 'zap' } });
  assert.deepEqual(settings.warnings, ['--snapshot-count, --pre-vote, ETCD_LOGGER: without effect in this version']);
});

test('what would be dangerous to ignore is refused, unless its value changes nothing', async () => {
  await assert.rejects(
    gather({ flags: { 'auto-tls': 'true' } }),
    /--auto-tls: this version does not have TLS for clients by other files or rules yet/,
  );
  await assert.rejects(gather({ env: { ETCD_FORCE_NEW_CLUSTER: 'true' } }), /ETCD_FORCE_NEW_CLUSTER: this version does not have recovery/);
  await assert.rejects(gather({ flags: { 'auth-token': 'jwt,sign-method=RS256' } }), /does not have authentication by JWT yet/);
  await gather({ flags: { 'auth-token': 'simple', 'client-cert-auth': 'false', 'force-new-cluster': 'false', discovery: '' } });
});

test('a misspelt variable is pointed out; those of the client commands are not', async () => {
  const settings = await gather({ env: { DISTROKV_DATADIR: '/x', DISTROKV_ENDPOINTS: 'a:1', ETCD_VERSION: '3', HOME: '/' } });
  assert.deepEqual(settings.warnings, ['DISTROKV_DATADIR: no variable of this version, ignored']);
});

const faults: readonly [string, Given, RegExp][] = [
  [
    'a number that is none',
    { flags: { 'heartbeat-interval': '1s' } },
    /^--heartbeat-interval: "1s" is not a whole number from 1 to 10000$/,
  ],
  ['a number out of bounds', { env: { ETCD_ELECTION_TIMEOUT: '99999' } }, /^ETCD_ELECTION_TIMEOUT: "99999" is not a whole number/],
  ['an election shorter than five heartbeats', { flags: { 'election-timeout': '400' } }, /^election-timeout: 400 ms is too short/],
  [
    'a URL that does not parse',
    { flags: { 'listen-client-urls': 'localhost:1' } },
    /^--listen-client-urls: "localhost:1" is not of the form/,
  ],
  [
    'a cluster without this member',
    { flags: { 'initial-cluster': 'a=http://h:1' } },
    /^initial-cluster: does not name this member "default"/,
  ],
  ['an unknown level', { env: { DISTROKV_LOG_LEVEL: 'loud' } }, /^DISTROKV_LOG_LEVEL: "loud" is none of debug/],
  ['a bound of the clocks that nothing rests on', { flags: { 'max-clock-drift': '0.01' } }, /^max-clock-drift: goes with --lease-reads/],
  ...['0', '0.5', '1', '7'].map((drift): [string, Given, RegExp] => [
    `a clock that drifts by ${drift}`,
    { flags: { 'lease-reads': 'true', 'max-clock-drift': drift } },
    /^max-clock-drift: [\d.]+ makes no sense: above 0/,
  ]),
  [
    'a drift that is no number',
    { flags: { 'lease-reads': 'true', 'max-clock-drift': '1%' } },
    /^max-clock-drift: "1%" is not a fraction such as 0.01$/,
  ],
  ['an unknown state', { flags: { 'initial-cluster-state': 'old' } }, /^--initial-cluster-state: "old" is none of new, existing$/],
];
for (const [what, given, message] of faults) {
  test(`${what} is told in one line that names the place`, async () => {
    await assert.rejects(setup(given), (error: Error) => {
      assert.match(error.message, message);
      assert.ok(!error.message.includes('\n'));
      return true;
    });
  });
}
