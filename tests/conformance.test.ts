// The etcd API, sentence by sentence: against one node, against a follower of three, and against a real etcd where one is installed; and what is left of
// three members without a leader, ours and etcd's. To hold another server against it: DISTROKV_CONFORMANCE_ENDPOINT=host:port, and
// DISTROKV_CONFORMANCE_VERSION=3.6 for what it is to know (and --watch-progress-notify-interval=200ms on its side).
import { after, before, describe, test } from 'node:test';
import type { Case } from './conformance/case.ts';
import { EtcdApi } from './conformance/etcd-api.ts';
import { alarmEdgeCases, kvEdgeCases, otherEdgeCases } from './conformance/edges.ts';
import { freshCases } from './conformance/fresh.ts';
import { generalCases } from './conformance/general.ts';
import { budgetCases, compactionCases, putCases, rangeCases, txnCases } from './conformance/kv.ts';
import { interplayCases } from './conformance/interplay.ts';
import { checkStranding, leaderlessCases } from './conformance/leaderless.ts';
import { leaseCases } from './conformance/lease.ts';
import { lockCases } from './conformance/lock.ts';
import { compactedRangeStreamCases, rangeStreamCases } from './conformance/range-stream.ts';
import { watchCases } from './conformance/watch.ts';
import { PROGRESS_MS, overtakenCases, watchProgressCases } from './conformance/watch-progress.ts';
import { TestCluster } from './support/cluster.ts';
import { RealEtcd } from './support/etcd.ts';
import { leaderOf } from './support/verify.ts';

const cases: readonly Case[] = [
  ...generalCases,
  ...rangeCases,
  ...rangeStreamCases,
  ...putCases,
  ...txnCases,
  ...budgetCases,
  ...interplayCases,
  ...kvEdgeCases,
  ...watchCases,
  ...watchProgressCases,
  ...leaseCases,
  ...lockCases,
  ...otherEdgeCases,
  // They take the past of all others away.
  ...overtakenCases,
  ...compactedRangeStreamCases,
  ...compactionCases,
  ...alarmEdgeCases,
];

interface Subject extends AsyncDisposable {
  readonly endpoint: string;
  /** Of the etcd API that it serves; a real etcd is not held to what ours does otherwise on purpose. */
  readonly version: string;
  readonly isEtcd: boolean;
}

const progressFlag = `--watch-progress-notify-interval=${PROGRESS_MS}ms`;

async function distrokv(size: number): Promise<Subject> {
  const cluster = await TestCluster.start(size, [progressFlag]);
  const leader = await leaderOf(cluster.endpoints);
  const endpoint = cluster.endpoints.find((_, i) => size === 1 || i !== leader) as string;
  return { endpoint, version: '3.7', isEtcd: false, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function realEtcd(): Promise<Subject | undefined> {
  const etcd = await RealEtcd.start(1, [`--experimental-${progressFlag.slice(2)}`]);
  if (!etcd) return undefined;
  const endpoint = etcd.endpoints[0] as string;
  return { endpoint, version: etcd.version, isEtcd: true, [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose]() };
}

function given(): Promise<Subject> {
  const version = process.env['DISTROKV_CONFORMANCE_VERSION'] ?? '3.7';
  return Promise.resolve({ endpoint, version, isEtcd: true, [Symbol.asyncDispose]: () => Promise.resolve() });
}

/** "3.10" is later than "3.9". */
function isBefore(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) < 0;
}

const NO_ETCD = "etcd is not installed here (Debian's package etcd-server)";

function suite(name: string, start: () => Promise<Subject | undefined>, run: readonly Case[]): void {
  describe(`the etcd API on ${name}`, { concurrency: 1 }, () => {
    let subject: Subject | undefined;
    let api: EtcdApi;
    before(async () => {
      subject = await start();
      if (subject) api = new EtcdApi(subject.endpoint);
    });
    after(async () => {
      api?.[Symbol.dispose]();
      await subject?.[Symbol.asyncDispose]();
    });
    for (const [i, one] of run.entries()) {
      test(one.sentence, async (t) => {
        if (!subject) return t.skip(NO_ETCD);
        if (one.since && isBefore(subject.version, one.since)) return t.skip(`since ${one.since}`);
        if (one.differs && subject.isEtcd) return t.skip(`differs: ${one.differs}`);
        await one.run(api, `conformance/${String(i).padStart(3, '0')}/`);
      });
    }
  });
}

/** Three members; `strand` ends all but the one that is served by. */
async function three(): Promise<Subject & { strand(): Promise<void> }> {
  const cluster = await TestCluster.start(3);
  return {
    endpoint: cluster.endpoints[0] as string,
    version: '3.7',
    isEtcd: false,
    strand: async () => void (await Promise.all([cluster.kill(1), cluster.kill(2)])),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

async function threeOfEtcd(): Promise<(Subject & { strand(): Promise<void> }) | undefined> {
  const etcd = await RealEtcd.start(3);
  if (!etcd) return undefined;
  return {
    endpoint: etcd.endpoints[0] as string,
    version: etcd.version,
    isEtcd: true,
    strand: async () => void (await Promise.all([etcd.kill(1), etcd.kill(2)])),
    [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose](),
  };
}

/** Streams are opened while there is a leader; the cases begin when there is none. */
function strandedSuite(name: string, start: typeof threeOfEtcd): void {
  const stranded = async (): Promise<Subject | undefined> => {
    const subject = await start();
    if (!subject) return undefined;
    using api = new EtcdApi(subject.endpoint);
    await checkStranding(api, () => subject.strand());
    return subject;
  };
  suite(name, stranded, leaderlessCases);
}

const endpoint = process.env['DISTROKV_CONFORMANCE_ENDPOINT'] ?? '';
if (endpoint !== '') suite(endpoint, given, cases);
else
  // Each has servers of its own, and mostly waits for them.
  describe('conformance', { concurrency: 2 }, () => {
    suite('one node', () => distrokv(1), [...freshCases, ...cases]);
    suite('a follower of three nodes', () => distrokv(3), [...freshCases, ...cases]);
    suite('etcd itself', realEtcd, [...freshCases, ...cases]);
    strandedSuite('a member without a leader', three);
    strandedSuite('a member of etcd without a leader', threeOfEtcd);
  });
