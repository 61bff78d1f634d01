// etcdctl sees no difference: every command on keys, watches, leases, locks and elections, in each format that it prints, answered by one node, by a
// follower of three and by etcd itself. What is printed must be the same, but for the names of clusters, members and leases, and the time.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { TestCluster } from './support/cluster.ts';
import { RealEtcd } from './support/etcd.ts';
import { leaderOf } from './support/verify.ts';

/** Longer than anything takes that is not broken, on a machine that is busy. */
const PATIENCE_MS = 60_000;
const environment = { ...process.env, ETCDCTL_API: '3' };

/** What a command printed, and how it ended. */
interface Printed {
  readonly command: string;
  readonly text: string;
}

/** Ids are the lease's own, or the server's: "L" for each. */
function plain(text: string): string {
  return text
    .replaceAll(/^\{"level".*\n/gm, '') // etcdctl's own log
    .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')
    .replaceAll(/"(cluster_id|member_id|raft_term|ID|id|ttl)":-?\d+/g, '"$1":N')
    .replaceAll(/"(ClusterID|MemberID|RaftTerm|ID|TTL)" : -?\d+/g, '"$1" : N')
    .replaceAll(/\b[0-9a-f]{10,16}\b/g, 'L')
    .replaceAll(/remaining\(\d+s\)/g, 'remaining(N)')
    .replaceAll(/took = \S+/g, 'took = T');
}

/** Between words are blanks; a blank in a word is written ␠. */
const wordsOf = (command: string): string[] => command.split(' ').map((word) => word.replaceAll('␠', ' '));

class Etcdctl {
  readonly printed: Printed[] = [];
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /** Runs it to its end, with `input` to read; returns what it printed as it is. */
  async run(command: string, input = ''): Promise<string> {
    const running = promisify(execFile)('etcdctl', [`--endpoints=${this.#endpoint}`, ...wordsOf(command)], {
      env: environment,
      encoding: 'buffer',
    });
    running.child.stdin?.end(input);
    const { stdout, stderr, code } = await running.then(
      (done) => ({ ...done, code: 0 }),
      (error: { stdout: Buffer; stderr: Buffer; code: number }) => error,
    );
    const isBinary = command.includes('protobuf');
    const text = isBinary ? `${stdout.length > 0} bytes` : stdout.toString('latin1');
    this.printed.push({ command, text: plain(`${text}${stderr.toString('latin1')}= ${code}`) });
    return stdout.toString('latin1');
  }

  /** Starts one that does not end by itself, lets `meanwhile` happen once it has printed `begun`, and ends it when it has printed `until`. */
  async while(
    command: string,
    options: { input?: string; begun?: string; until: string },
    meanwhile?: () => Promise<unknown>,
  ): Promise<void> {
    const child = spawn('etcdctl', [`--endpoints=${this.#endpoint}`, ...wordsOf(command)], {
      env: environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    let onText: () => void = () => {};
    child.stdout.setEncoding('latin1').on('data', (more: string) => {
      text += more;
      onText();
    });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const hasPrinted = (wanted: string): Promise<void> =>
      new Promise((resolve, reject) => {
        onText = () => (text.includes(wanted) ? resolve() : undefined);
        onText();
        setTimeout(
          () => reject(new Error(`${command} printed ${JSON.stringify(text)}, and not yet ${JSON.stringify(wanted)}`)),
          PATIENCE_MS,
        ).unref();
        void exited.then(() => reject(new Error(`${command} ended, and printed ${JSON.stringify(text)}`)));
      });
    child.stdin.write(options.input ?? '');
    try {
      if (options.begun !== undefined) await hasPrinted(options.begun);
      await meanwhile?.();
      await hasPrinted(options.until);
    } finally {
      child.kill('SIGINT');
      await exited;
    }
    this.printed.push({ command, text: plain(text) });
  }
}

/** What a watch prints last of an event. */
const LAST = { simple: 'begin\n', json: '}\n', fields: '"Lease" : 0\n' } as const;
const FORMATS = ['simple', 'json', 'fields', 'protobuf'] as const;

async function keys(ctl: Etcdctl): Promise<void> {
  await ctl.run('put a 1');
  for (const format of FORMATS) await ctl.run(`put a 2 --prev-kv -w ${format}`);
  for (const key of ['b', 'c', 'd\u00e4']) await ctl.run(`put ${key} value␠of␠${key}`);
  await ctl.run('put from-input', 'what was read');
  for (const format of FORMATS) await ctl.run(`get a -w ${format}`);
  await ctl.run('get a --hex');
  await ctl.run('get a d --print-value-only');
  await ctl.run('get --prefix  --keys-only -w json');
  await ctl.run('get --from-key b --limit 2 -w json');
  await ctl.run('get none -w json');
  for (const by of ['CREATE', 'KEY', 'MODIFY', 'VALUE', 'VERSION'])
    for (const order of ['ASCEND', 'DESCEND']) await ctl.run(`get --prefix  --order=${order} --sort-by=${by} --keys-only`);
  await ctl.run('get a --consistency=s');
  await ctl.run('get a --rev=2');
  await ctl.run('get a --rev=99999');
  await ctl.run('get  ');
  await ctl.run('put a --ignore-value');
  await ctl.run('put none --ignore-value');
  await ctl.run('put a kept --ignore-lease');
  await ctl.run('put none x --ignore-lease');
  await ctl.run('put a x --lease=4d2');
  for (const format of FORMATS) {
    await ctl.run('put doomed x');
    await ctl.run(`del doomed --prev-kv -w ${format}`);
  }
  await ctl.run('del none');
  await ctl.run('del b d --prev-kv');
  await ctl.run('del --from-key d -w json');
}

async function transactions(ctl: Etcdctl): Promise<void> {
  await ctl.run('put t 1');
  const question =
    'mod("t") > "0"\nversion("t") = "1"\nvalue("t") = "1"\ncreate("none") = "0"\n\nput t 2\nget t\ndel none\n\nput t wrong\n\n';
  await ctl.run('txn', question);
  await ctl.run('txn -i', question);
  for (const format of FORMATS) await ctl.run(`txn -w ${format}`, question);
  await ctl.run('txn', '\nput t 1\nput t 2\n\n\n');
  await ctl.run('txn', 'value("t") = "none"\n\nput t 3\n\nget --prefix t\n\n');
  await ctl.run('txn', '\nget t --rev=99999\n\n\n');
}

async function watches(ctl: Etcdctl): Promise<void> {
  const change = async (): Promise<void> => {
    await ctl.run('put w1 x');
    await ctl.run('put w1 y');
    await ctl.run('del w1');
  };
  const first = JSON.parse(await ctl.run('put w0 begin -w json')) as { header: { revision: number } };
  const { revision } = first.header;
  for (const format of ['simple', 'json', 'fields'] as const)
    await ctl.while(`watch --prefix w --rev=${revision} --prev-kv -w ${format}`, { until: LAST[format] });
  await ctl.while(`watch --prefix w --rev=${revision} --prev-kv`, { begun: 'begin\n', until: 'DELETE\nw1\ny\nw1\n\n' }, change);
  await ctl.while('watch -i', { input: `watch w0 --rev=${revision}\n`, until: 'begin\n' });
  await ctl.while(`watch w0 --rev=${revision} -- sh -c echo␠$ETCD_WATCH_EVENT_TYPE␠$ETCD_WATCH_KEY`, { until: '"PUT" "w0"\n' });
  await ctl.run('put compact me');
  const { header } = JSON.parse(await ctl.run('put compact me -w json')) as typeof first;
  await ctl.run(`compaction ${header.revision}`);
  await ctl.run(`compaction ${header.revision}`);
  await ctl.run(`compaction ${header.revision + 1000}`);
  await ctl.run(`get compact --rev=${header.revision - 1}`);
  await ctl.run(`get compact --rev=${header.revision}`);
  await ctl.run(`watch compact --rev=${header.revision - 1}`);
  await ctl.run('put compact once');
  const last = JSON.parse(await ctl.run('put compact more -w json')) as typeof first;
  await ctl.run(`compaction --physical ${last.header.revision}`);
}

async function leases(ctl: Etcdctl): Promise<void> {
  const [, id = ''] = /lease ([0-9a-f]{16})/.exec(await ctl.run('lease grant 100')) ?? [];
  for (const format of ['json', 'fields', 'protobuf']) await ctl.run(`lease grant 100 -w ${format}`);
  await ctl.run('lease grant 9000000001');
  await ctl.run(`put held v --lease=${id}`);
  await ctl.run(`lease timetolive ${id}`);
  for (const format of ['simple', 'json', 'fields', 'protobuf']) await ctl.run(`lease timetolive ${id} --keys -w ${format}`);
  await ctl.run(`put too v --lease=${id}`);
  await ctl.run('lease timetolive 4d2');
  await ctl.run(`lease keep-alive --once ${id}`);
  await ctl.run('lease keep-alive --once 4d2');
  await ctl.while(`lease keep-alive ${id}`, { until: 'keepalived with TTL(100)\n' });
  await ctl.run('lease list');
  await ctl.run(`lease revoke ${id}`);
  await ctl.run(`lease revoke ${id}`);
  await ctl.run('lease revoke 4d2');
  await ctl.run('get held');
}

async function lines(ctl: Etcdctl): Promise<void> {
  await ctl.run('lock line echo held');
  await ctl.run('lock line --ttl=5 false');
  await ctl.while('lock line', { begun: '\n', until: '\n' }, async () => ctl.run('get --prefix line/ --keys-only'));
  await ctl.while('elect line candidate', { begun: 'candidate\n', until: 'candidate\n' }, async () => {
    await ctl.while('elect -l line', { until: 'candidate\n' });
    await ctl.run('get --prefix line/');
  });
}

async function others(ctl: Etcdctl): Promise<void> {
  for (const command of ['alarm list', 'alarm disarm', 'defrag', 'endpoint health']) await ctl.run(command);
}

async function everything(endpoint: string): Promise<readonly Printed[]> {
  const ctl = new Etcdctl(endpoint);
  for (const part of [keys, transactions, watches, leases, lines, others]) await part(ctl);
  return ctl.printed;
}

test('etcdctl prints the same of one node, of a follower of three, and of etcd', async (t) => {
  const etcd = await RealEtcd.start();
  if (!etcd) return t.skip("etcd is not installed here (Debian's packages etcd-server and etcd-client)");
  await using _etcd = etcd;
  await using one = await TestCluster.start(1);
  await using three = await TestCluster.start(3);
  const leader = await leaderOf(three.endpoints);
  const expected = await everything(etcd.endpoints[0] as string);
  for (const endpoint of [one.endpoints[0], three.endpoints.find((_, i) => i !== leader)] as string[]) {
    const printed = await everything(endpoint);
    for (const [i, { command, text }] of printed.entries()) assert.equal(text, expected[i]?.text, `etcdctl ${command}`);
    assert.equal(printed.length, expected.length);
  }
  assert.ok(expected.length > 90, `${expected.length} commands`);
});
