import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterId, deferred, memberId } from '@distrokv/base';
import { ServerError, type RunningServer, type StartOptions } from '@distrokv/server';
import { FakeHost, type FakeHostOptions } from '../testing/fake-host.ts';
import { runServer, type ServerCommand } from './run.ts';

/** A member that does nothing: the test says when it is ready and when it fails. */
function fakeMember(): {
  start: (options: StartOptions) => Promise<RunningServer>;
  options: StartOptions[];
  becomeReady(): void;
  fail(error: Error): void;
} {
  const options: StartOptions[] = [];
  const ready = deferred<void>();
  const stopped = deferred<Error | undefined>();
  return {
    options,
    becomeReady: () => ready.resolve(),
    fail: (error) => stopped.resolve(error),
    async start(given) {
      options.push(given);
      return {
        memberId: memberId(0x8e9e05c52164694dn),
        clusterId: clusterId(1n),
        clientAddresses: ['127.0.0.1:2379'],
        ready: ready.promise,
        stopped: stopped.promise,
        stop: async () => stopped.resolve(undefined),
      };
    },
  };
}

interface Running {
  readonly host: FakeHost;
  readonly member: ReturnType<typeof fakeMember>;
  readonly done: Promise<void>;
}

function run(command: Partial<ServerCommand> = {}, hostOptions: FakeHostOptions = {}): Running {
  const host = new FakeHost(hostOptions);
  const member = fakeMember();
  const done = runServer(host, { words: [], flags: [], supervised: false, ...command }, member.start);
  return { host, member, done };
}

const flag = (name: string, value: string): { flag: string; value: string; source: string } => ({ flag: name, value, source: `--${name}` });

test('on a terminal: addresses, directory, id, the ready line, what to try; then an orderly stop', async () => {
  const { host, member, done } = run({}, { terminal: true, env: { NO_COLOR: '1' } });
  await host.saw('data      ');
  assert.match(
    host.out,
    /member {4}default, 8e9e05c52164694d\n {2}clients {3}http:\/\/127.0.0.1:2379\n {2}peers {5}http:\/\/127.0.0.1:2380\n/,
  );
  assert.ok(!host.out.includes('ready to serve'));
  member.becomeReady();
  await host.saw('ready to serve client requests\n');
  assert.match(host.out, /\n {2}npx distrokv put greeting hello\n[^]*\n {2}etcdctl --endpoints=127.0.0.1:2379 get greeting\n/);
  assert.deepEqual(host.notified, ['ready']);
  host.requestStop('SIGTERM');
  await done;
  assert.match(host.out, /stopping .*SIGTERM/);
  assert.equal(host.err, '');
});

test('in a pipe: one JSON object per line, the ready line among the messages', async () => {
  const { host, member, done } = run({ flags: [flag('pre-vote', 'true')] });
  member.becomeReady();
  await host.saw('ready to serve');
  host.requestStop('SIGINT');
  await done;
  const lines = host.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string; member: string; member_id?: string });
  assert.deepEqual(
    lines.map(({ level, msg }) => `${level} ${msg}`),
    [
      'warn --pre-vote: without effect in this version',
      'info DistroKV 0.1.0 started',
      'info ready to serve client requests',
      'info stopping',
      'info stopped',
    ],
  );
  assert.equal(lines[1]?.member_id, '8e9e05c52164694d');
});

test('a supervised member leaves the ready line to its parent', async () => {
  const { host, member, done } = run({ supervised: true });
  member.becomeReady();
  await host.saw('serving clients');
  assert.ok(!host.out.includes('ready to serve'));
  assert.deepEqual(host.notified, ['ready']);
  host.requestStop('the parent process is gone');
  await done;
});

test("the ancestor's form: name, port on every address, a directory of that name; full flags go first", async () => {
  const { host, member, done } = run({ words: ['node1', '50051'], flags: [flag('data-dir', '/x')] });
  await host.saw('started');
  const config = member.options[0]?.config;
  assert.deepEqual([config?.name, config?.dataDirectory, config?.listenClientUrls[0]?.text], ['node1', '/x', 'http://0.0.0.0:50051']);
  assert.equal(config?.listenPeerUrls[0]?.host, '127.0.0.1');
  host.requestStop('SIGTERM');
  await done;
  await assert.rejects(run({ words: ['node1'] }).done, /say a client port too/);
  await assert.rejects(run({ words: ['node1', 'x'] }).done, /is no port/);
});

test('a failure while it runs ends the command with its reason', async () => {
  const { host, member, done } = run();
  await host.saw('started');
  member.fail(new ServerError('fail-stop', 'the log could not be synced: no space'));
  await assert.rejects(done, { code: 'failed', message: 'the server stopped: the log could not be synced: no space' });
});

test('a failure to start is passed on as it is', async () => {
  const error = new ServerError('address-in-use', 'listen-client-urls: port 2379 is in use');
  const host = new FakeHost();
  const refuse = async (): Promise<RunningServer> => Promise.reject(error);
  await assert.rejects(runServer(host, { words: [], flags: [], supervised: false }, refuse), error);
});

test('a stop that is asked for during the start is obeyed after it', async () => {
  const host = new FakeHost();
  const member = fakeMember();
  const done = runServer(host, { words: [], flags: [], supervised: false }, async (options) => {
    host.requestStop('SIGINT');
    return member.start(options);
  });
  await done;
  assert.match(host.out, /"msg":"stopped"/);
});
