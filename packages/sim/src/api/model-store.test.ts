// The model of the API against the store: the same random calls, one after the other, must be answered alike, to the last field; and what watchers
// see, what leases hold and what each revision was must be alike, too. Where they differ, both sides are printed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, logIndex, seededRandom, term } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';
import {
  ApiError,
  type Command,
  type CommandResult,
  type EventBatch,
  Store,
  checkDeleteRange,
  checkPut,
  checkRange,
  checkTxn,
  isReadOnlyTxn,
  keyRange,
  runSteps,
  storeKeyspaces,
} from '@distrokv/mvcc';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type Call, type Reply, type Response, bytesOf, describeCall, describeReply, print } from './calls.ts';
import { type Drawing, drawCompaction, drawKeyCall, drawLeaseCall } from './draw-calls.ts';
import { ApiModel } from './model.ts';

const scale = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
const CALLS = Math.round(4000 * scale);
const KEYS = ['a', 'a\0', 'ab', 'b', 'c', 'ca', 'd', '\xff'];
const LEASES = [1n, 2n, 3n, -4n, 2n ** 62n];

/** A store without a cluster around it: the checks of the service, and a log entry for each change. */
class Single {
  readonly store: Store;
  readonly engine: Engine;
  #index = 0;

  constructor(engine: Engine) {
    this.engine = engine;
    this.store = new Store(engine);
  }

  async ask(call: Call): Promise<Reply> {
    try {
      return { kind: 'response', response: await this.#ask(call) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { kind: 'error', why: error.message };
    }
  }

  async apply(command: Command): Promise<CommandResult> {
    try {
      return this.store.apply(command);
    } finally {
      await this.store.commit(logIndex(++this.#index), term(1));
    }
  }

  async #ask(call: Call): Promise<Response> {
    const { store } = this;
    switch (call.kind) {
      case 'range': {
        checkRange(call.request);
        const { steps, toResponse } = store.reads.rangeSteps(call.request);
        return toResponse(runSteps(steps));
      }
      case 'put':
        checkPut(call.request);
        break;
      case 'delete-range':
        checkDeleteRange(call.request);
        break;
      case 'txn':
        checkTxn(call.request, 128);
        if (isReadOnlyTxn(call.request)) return runSteps(store.reads.readOnlyTxn(call.request));
        break;
      case 'lease-time-to-live':
      case 'lease-leases':
        return this.#askOfLeases(call);
      default:
    }
    return (await this.apply(commandOf(call))) as Response;
  }

  #askOfLeases(call: Call & { kind: 'lease-time-to-live' | 'lease-leases' }): Response {
    const { leases, state } = this.store;
    const header = pb.ResponseHeader.create({ revision: state.revision });
    if (call.kind === 'lease-leases')
      return {
        header,
        leases: runSteps(leases.list())
          .map((id) => ({ id }))
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
      };
    const { id, keys } = call.request;
    const lease = leases.get(id);
    if (!lease) return pb.LeaseTimeToLiveResponse.create({ header, id, ttl: -1 });
    return { header, id, ttl: 0, grantedTTL: lease.ttl, keys: keys ? runSteps(leases.keysOf(id)) : [] };
  }
}

function commandOf(call: Call): Command {
  switch (call.kind) {
    case 'put':
    case 'delete-range':
    case 'txn':
    case 'compact':
    case 'lease-grant':
    case 'lease-revoke':
      return call as Command;
    case 'lease-keep-alive':
      return { kind: 'lease-renew', request: call.request };
    default:
      throw new Error(`${call.kind} does not go through the log`);
  }
}

async function openSingle(seed: number): Promise<Single> {
  const env = createMemoryEnv({ seed });
  const engine = await openEngine({ env, directory: '/db', keyspaces: storeKeyspaces, wal: 'none', memtableBytes: 32 * 1024 });
  const single = new Single(engine);
  await single.store.bootstrap([pb.Member.create({ id: 1n, peerURLs: ['http://127.0.0.1:1'] })]);
  return single;
}

function draw(random: Random, revision: number, value: () => string): Call {
  const drawing: Drawing = { random, keys: KEYS, value, revision, leases: LEASES, depth: 2 };
  const dice = random.float();
  if (dice < 0.01) return drawCompaction(drawing);
  return dice < 0.15 ? drawLeaseCall(drawing) : drawKeyCall(drawing);
}

/** Everything that a watcher of all keys is given, by revision. */
function watchAll(store: Store): Map<number, mvccpb.Event[]> {
  const seen = new Map<number, mvccpb.Event[]>();
  const sink = {
    hasRoom: true,
    park: (): void => assert.fail('there is room'),
    compacted: (): void => assert.fail('it does not lag'),
    events: (_watchers: unknown, _most: number, { events }: EventBatch): number => {
      for (const event of events) {
        const at = event.kv?.modRevision ?? 0;
        seen.set(at, [...(seen.get(at) ?? []), event]);
      }
      return 1;
    },
  };
  store.watches.create(
    { range: keyRange(bytesOf('\0'), bytesOf('\0')), startRevision: 0, prevKv: true, noPut: false, noDelete: false },
    sink,
  );
  return seen;
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`${CALLS} random calls are answered alike by the model and the store (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const single = await openSingle(seed);
    const model = new ApiModel();
    const watched = watchAll(single.store);
    let values = 0;
    let granted = 0;
    for (let i = 0; i < CALLS; i++) {
      const call = draw(random, model.revision, () => `${++values % 10}.${values}`);
      const [said, expected] = [await single.ask(call), model.perform(call)];
      assert.equal(
        print(said),
        print(expected),
        `call ${i}\n  ${describeCall(call)}\nthe store\n  ${describeReply(said)}\nthe model\n  ${describeReply(expected)}`,
      );
      assert.equal(single.store.state.revision, model.revision, describeCall(call));
      if (call.kind === 'lease-grant' && said.kind === 'response') granted++;
      if (random.chance(0.01)) await single.engine.flush();
      if (random.chance(0.01)) await expireSome(single, model);
    }
    assert.ok(granted > 10);
    const printAll = (history: ReadonlyMap<number, readonly mvccpb.Event[]>): string[] =>
      [...history].map(([at, events]) => `${at} ${print(events)}`);
    assert.deepEqual(printAll(watched), printAll(model.history));
  });
}

/** Lets time pass until leases of the store end, and ends the same in the model. */
async function expireSome(single: Single, model: ApiModel): Promise<void> {
  const { store } = single;
  const before = runSteps(store.leases.list());
  while (before.length > 0 && store.leases.size === before.length) {
    const fromMs = store.state.leaseClockMs;
    await single.apply({ kind: 'lease-tick', request: { fromMs, toMs: fromMs + 1000 } });
  }
  for (const id of before) if (!store.leases.get(id)) model.expire(id);
}
