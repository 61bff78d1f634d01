// A watcher of a little history, which is told all of it, and then each lie that the judge is to find.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { bytesOf } from '../api/calls.ts';
import { ApiModel } from '../api/model.ts';
import type { Watched } from '../api/watched.ts';
import { judgeWatches } from './watches.ts';

/** a=1, a=2, then a=3 and b=1 together, a deleted: revisions 2 to 5. */
const model = new ApiModel();
const put = (key: string, value: string): pb.PutRequest => pb.PutRequest.create({ key: bytesOf(key), value: bytesOf(value) });
model.perform({ kind: 'put', request: put('a', '1') });
model.perform({ kind: 'put', request: put('a', '2') });
const both = [put('a', '3'), put('b', '1')].map((value): pb.RequestOp => ({ request: { case: 'requestPut', value } }));
model.perform({ kind: 'txn', request: { compare: [], success: both, failure: [] } });
model.perform({ kind: 'delete-range', request: pb.DeleteRangeRequest.create({ key: bytesOf('a') }) });

const [second, third, fourth, fifth] = [2, 3, 4, 5].map((revision) => model.history.get(revision) ?? []) as [
  readonly mvccpb.Event[],
  readonly mvccpb.Event[],
  readonly mvccpb.Event[],
  readonly mvccpb.Event[],
];
const [torn = second[0] as mvccpb.Event] = fourth;

const header = (revision: number): pb.ResponseHeader => pb.ResponseHeader.create({ revision });
const created = (revision = 1): pb.WatchResponse => pb.WatchResponse.create({ header: header(revision), created: true });
const events = (...groups: (readonly mvccpb.Event[])[]): pb.WatchResponse =>
  pb.WatchResponse.create({ header: header(5), events: groups.flat() });
const progress = (revision: number): pb.WatchResponse => pb.WatchResponse.create({ header: header(revision) });
const compacted = (compactRevision: number): pb.WatchResponse => pb.WatchResponse.create({ canceled: true, compactRevision });

interface Case {
  readonly request?: Partial<pb.WatchCreateRequest>;
  readonly compactions?: readonly number[];
  readonly responses: readonly pb.WatchResponse[];
}

function judge({ request = {}, compactions = [], responses }: Case): number {
  const watched: Watched = {
    who: 'w1',
    machine: 0,
    request: pb.WatchCreateRequest.create({ key: bytesOf('\0'), rangeEnd: bytesOf('\0'), prevKv: true, startRevision: 2, ...request }),
    id: 0,
    responses: [...responses],
    isCancelled: false,
    isOver: false,
  };
  return judgeWatches([watched], { events: model.history, revision: 5, compactions: new Set(compactions) }, () => true);
}

const plain = (list: readonly mvccpb.Event[]): mvccpb.Event[] => list.map((event) => ({ ...event, prevKv: undefined }));

describe('a watcher that is told the truth passes', () => {
  const passes: Readonly<Record<string, Case>> = {
    'one response for each revision': { responses: [created(), events(second), events(third), events(fourth), events(fifth)] },
    'all in one': { responses: [created(), events(second, third, fourth, fifth), progress(5)] },
    'without previous values': {
      request: { prevKv: false },
      responses: [created(), events(plain(second), plain(third), plain(fourth), plain(fifth))],
    },
    'only deletes': { request: { filters: [pb.FilterType.NOPUT] }, responses: [created(), progress(4), events(fifth)] },
    'one key': { request: { key: bytesOf('b'), rangeEnd: bytesOf('') }, responses: [created(), events(fourth.slice(1))] },
    'from now on': { request: { startRevision: 0 }, responses: [created(4), events(fifth)] },
    fragments: {
      request: { fragment: true },
      responses: [created(), { ...events(second, third, [torn]), fragment: true }, events(fourth.slice(1), fifth)],
    },
    'compacted away, what it lacks': { compactions: [4], responses: [created(), events(second), compacted(4)] },
  };
  for (const [name, each] of Object.entries(passes)) test(name, () => assert.ok(judge(each) >= 0));
});

describe('each lie is found', () => {
  const lies: readonly (readonly [check: string, told: Case])[] = [
    ['filter', { request: { key: bytesOf('b'), rangeEnd: bytesOf('') }, responses: [created(), events(second)] }],
    ['filter', { request: { filters: [pb.FilterType.NODELETE] }, responses: [created(), events(second, third, fourth, fifth)] }],
    ['ordered', { responses: [created(), events(third, second)] }],
    ['ordered', { responses: [created(), { ...events(second, third), header: header(2) }] }],
    ['unique', { responses: [created(), events(second), events(second)] }],
    ['unique', { responses: [created(), events(second, second)] }],
    ['atomic', { responses: [created(), events(second, third, [torn])] }],
    ['atomic', { responses: [created(), { ...events(second), fragment: true }] }],
    ['reliable', { responses: [created(), events(second), events(fourth)] }],
    ['reliable', { responses: [created(), events(second, third, fourth)] }],
    ['resumable', { request: { startRevision: 3 }, responses: [created(4), events(second)] }],
    ['bookmarkable', { responses: [created(), events(second), progress(3)] }],
    ['bookmarkable', { request: { startRevision: 9 }, responses: [created(), progress(5)] }],
    ['bookmarkable', { responses: [created(), events(second), progress(6)] }],
    ['isCreate', { responses: [created(), events(second.map((event) => ({ ...event, kv: event.kv && { ...event.kv, version: 2 } })))] }],
    [
      'prevKV',
      {
        responses: [
          created(),
          events(
            second,
            third.map((event) => ({ ...event, prevKv: event.kv })),
          ),
        ],
      },
    ],
    ['prevKV', { responses: [created(), events(second, plain(third))] }],
    ['compacted', { compactions: [4], responses: [created(), events(second, third), compacted(4)] }],
    ['compacted', { responses: [created(), events(second), compacted(4)] }],
    ['cancel', { responses: [created(), pb.WatchResponse.create({ header: header(5), canceled: true })] }],
    ['created', { responses: [events(second)] }],
    ['created', { responses: [created(), created()] }],
  ];
  for (const [i, [check, told]] of lies.entries())
    test(`${check} (${i + 1})`, () => assert.throws(() => judge(told), { message: new RegExp(`^watch: ${check}:`) }));
});
