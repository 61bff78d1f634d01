// The judge of the API's order, on histories made by hand: what is right passes, and each way to be wrong is found.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { etcdserverpb as pb } from '@distrokv/proto';
import { ApiHistory } from '../api/api-history.ts';
import { type Call, type Reply, bytesOf } from '../api/calls.ts';
import type { Committed } from '../api/committed-log.ts';
import { ApiModel } from '../api/model.ts';
import { Replay } from '../api/replay.ts';
import { History } from '../history.ts';
import { ApiOrderJudge } from './api-order.ts';
import { askedOf } from './asked.ts';

const put = (value: string): Call => ({ kind: 'put', request: pb.PutRequest.create({ key: bytesOf('k'), value: bytesOf(value) }) });
const get = (revision = 0): Call => ({ kind: 'range', request: pb.RangeRequest.create({ key: bytesOf('k'), revision }) });
const compact = (revision: number): Call => ({ kind: 'compact', request: { revision, physical: false } });
const renew: Call = { kind: 'lease-keep-alive', request: { id: 1n } };

/** A store that does one thing after the other; what it committed, and what it answered. */
class Scene {
  readonly history: ApiHistory;
  readonly #order: History = new History();
  readonly committed: Committed[] = [];
  readonly #model = new ApiModel();

  constructor() {
    this.history = new ApiHistory(this.#order);
  }

  /** Asks, and ends with `outcome`, or with what the store answers. */
  ask(call: Call, outcome: 'answered' | 'unknown' | 'refused' | Reply = 'answered', commits = call.kind !== 'range'): void {
    const asked = this.history.begin(call, 0);
    const reply = this.#model.perform(call);
    if (commits) this.committed.push({ command: call, seenOrder: this.#order.next(), seenMs: 0 });
    if (outcome === 'answered') this.history.end(asked, { kind: 'answered', reply }, 0);
    else if (typeof outcome === 'string') this.history.end(asked, { kind: outcome, why: 'lost' }, 0);
    else this.history.end(asked, { kind: 'answered', reply: outcome }, 0);
  }

  judge(): number {
    const judge = new ApiOrderJudge(this.history.calls.map(askedOf));
    const replay = new Replay();
    judge.at(replay, undefined);
    for (const command of this.committed) judge.at(replay, replay.step(command));
    return judge.end(replay);
  }

  get last(): Reply {
    const outcome = this.history.calls.at(-1)?.outcome;
    assert.ok(outcome?.kind === 'answered');
    return outcome.reply;
  }
}

describe('the order of the API', () => {
  test('what a correct store answers passes, errors and what is in doubt included', () => {
    const scene = new Scene();
    scene.ask(get());
    scene.ask(put('a'));
    scene.ask(put('b'), 'unknown');
    scene.ask(renew);
    scene.ask(renew);
    scene.ask(get(2));
    scene.ask(compact(3));
    scene.ask(get(2));
    scene.ask(get(9));
    scene.ask(compact(3));
    assert.equal(scene.judge(), 9);
  });

  const finds = (name: string, message: RegExp, play: (scene: Scene) => void): void => {
    test(name, () => {
      const scene = new Scene();
      play(scene);
      assert.throws(() => scene.judge(), { message });
    });
  };

  finds('a write that is gone', /nowhere in what was committed/, (scene) => {
    scene.ask(put('a'));
    scene.committed.pop();
  });
  finds('a write that happened twice', /nobody asked for what was committed/, (scene) => {
    scene.ask(put('a'));
    scene.committed.push(...scene.committed);
  });
  finds('a refused write that happened', /nobody asked for what was committed/, (scene) => scene.ask(put('a'), 'refused'));
  finds('a stale read', /^order: stale: range/, (scene) => {
    scene.ask(get());
    const old = scene.last;
    scene.ask(put('a'));
    scene.ask(get(), old);
  });
  finds('a wrong answer to a read', /was answered .* and should be/, (scene) => {
    scene.ask(put('a'));
    scene.ask(get(), { kind: 'response', response: pb.RangeResponse.create({ header: pb.ResponseHeader.create({ revision: 2 }) }) });
  });
  finds('a wrong answer to a write', /was answered .* and should be/, (scene) =>
    scene.ask(put('a'), { kind: 'response', response: pb.PutResponse.create({ header: pb.ResponseHeader.create({ revision: 7 }) }) }),
  );
  finds('a read that is refused as compacted, and nothing was', /true at no time/, (scene) => {
    scene.ask(put('a'));
    scene.ask(get(2), { kind: 'error', why: 'etcdserver: mvcc: required revision has been compacted' });
  });
  finds('a read of the future that is refused when it is the past', /^order: stale: range/, (scene) => {
    scene.ask(put('a'));
    scene.ask(get(2), { kind: 'error', why: 'etcdserver: mvcc: required revision is a future revision' });
  });
  finds('a request that makes no sense and is answered', /key is not provided/, (scene) => {
    const nameless: Call = { kind: 'range', request: pb.RangeRequest.create() };
    scene.ask(nameless, { kind: 'response', response: pb.RangeResponse.create() });
  });
});
