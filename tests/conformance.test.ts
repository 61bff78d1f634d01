// The etcd API, sentence by sentence: against one node, against a follower of three, and against a real etcd where one is installed. To hold another
// server against it: DISTROKV_CONFORMANCE_ENDPOINT=host:port, and DISTROKV_CONFORMANCE_VERSION=3.6 for what it is to know.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Case } from './conformance/case.ts';
import { EtcdApi } from './conformance/etcd-api.ts';
import { compactionCases, putCases, rangeCases, txnCases } from './conformance/kv.ts';
import { interplayCases } from './conformance/interplay.ts';
import { leaseCases, lockCases } from './conformance/lease.ts';
import { watchCases } from './conformance/watch.ts';
import { TestCluster } from './support/cluster.ts';
import { RealEtcd } from './support/etcd.ts';
import { leaderOf } from './support/verify.ts';

const cases: readonly Case[] = [
  ...rangeCases,
  ...putCases,
  ...txnCases,
  ...interplayCases,
  ...watchCases,
  ...leaseCases,
  ...lockCases,
  ...compactionCases,
];

interface Subject extends AsyncDisposable {
  readonly endpoint: string;
  /** Of the etcd API that it serves; a real etcd is not held to what ours does otherwise on purpose. */
  readonly version: string;
  readonly isEtcd: boolean;
}

async function distrokv(size: number): Promise<Subject> {
  const cluster = await TestCluster.start(size);
  const leader = await leaderOf(cluster.endpoints);
  const endpoint = cluster.endpoints.find((_, i) => size === 1 || i !== leader) as string;
  return { endpoint, version: '3.7', isEtcd: false, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function realEtcd(): Promise<Subject | undefined> {
  const etcd = await RealEtcd.start();
  return etcd && { endpoint: etcd.endpoint, version: etcd.version, isEtcd: true, [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose]() };
}

function given(): Promise<Subject> {
  const version = process.env['DISTROKV_CONFORMANCE_VERSION'] ?? '3.7';
  return Promise.resolve({ endpoint, version, isEtcd: true, [Symbol.asyncDispose]: () => Promise.resolve() });
}

/** "3.10" is later than "3.9". */
function isBefore(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) < 0;
}

function suite(name: string, start: () => Promise<Subject | undefined>): void {
  describe(`the etcd API on ${name}`, () => {
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
    test('a fresh store is at revision 1', async (t) => {
      if (!subject) return t.skip("etcd is not installed here (Debian's package etcd-server)");
      if (endpoint === '') assert.equal(await api.revision(), 1);
    });
    for (const [i, one] of cases.entries()) {
      test(one.sentence, async (t) => {
        if (!subject) return t.skip('no etcd');
        if (one.since && isBefore(subject.version, one.since)) return t.skip(`since ${one.since}`);
        if (one.differs && subject.isEtcd) return t.skip(`differs: ${one.differs}`);
        await one.run(api, `conformance/${String(i).padStart(3, '0')}/`);
      });
    }
  });
}

const endpoint = process.env['DISTROKV_CONFORMANCE_ENDPOINT'] ?? '';
if (endpoint !== '') suite(endpoint, given);
else {
  suite('one node', () => distrokv(1));
  suite('a follower of three nodes', () => distrokv(3));
  suite('etcd itself', realEtcd);
}
