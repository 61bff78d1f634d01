// Three replicas with lossy wires, falling leaders and power cuts: every command that is answered has happened exactly once, reads are
// linearizable, and what waits over an election is answered after it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberId, utf8 } from '@distrokv/base';
import type { GrpcError } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { Replicas } from '../testing/replicas.ts';

const SEEDS = Number(process.env['DISTROKV_TEST_SEEDS'] ?? 8);

async function started(size: number, seed: number): Promise<Replicas> {
  const replicas = new Replicas(size, seed);
  for (const id of replicas.ids) await replicas.start(id);
  for (let i = 0; i < 100 && replicas.leader() === undefined; i++) await replicas.time.advance(100);
  assert.ok(replicas.leader() !== undefined, 'a leader within 10 s');
  return replicas;
}

function put(replicas: Replicas, id: number, key: string): Promise<pb.PutResponse> {
  return replicas.member(id).replica.propose({ kind: 'put', request: pb.PutRequest.create({ key: utf8(key), value: utf8(key) }) });
}

function versionsOf(replicas: Replicas, id: number): Map<string, number> {
  const { steps, toResponse } = replicas
    .member(id)
    .store.reads.rangeSteps(pb.RangeRequest.create({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) }));
  for (;;) {
    const step = steps.next();
    if (step.done === true) return new Map(toResponse(step.value).kvs.map((kv) => [Buffer.from(kv.key).toString(), kv.version]));
  }
}

test('a single member leads at once and answers', async () => {
  const replicas = new Replicas(1, 1);
  await replicas.start(1);
  const answered = put(replicas, 1, 'a');
  await replicas.time.settle();
  assert.equal((await answered).header?.revision, 2);
  await replicas.member(1).replica.linearize();
});

test('a command proposed by a follower is forwarded; a follower reads what was written before', async () => {
  const replicas = await started(3, 2);
  const follower = replicas.ids.find((id) => id !== replicas.leader()) as number;
  const answered = put(replicas, follower, 'a');
  await replicas.time.advance(50);
  assert.equal((await answered).header?.revision, 2);
  for (const id of replicas.ids) {
    const read = replicas.member(id).replica.linearize();
    await replicas.time.advance(50);
    await read;
    assert.deepEqual([...versionsOf(replicas, id)], [['a', 1]]);
  }
});

test('a command that was on its way to a leader that fell is answered by the next one, once', async () => {
  const replicas = await started(3, 3);
  const leader = replicas.leader() as number;
  const follower = replicas.ids.find((id) => id !== leader) as number;
  replicas.cutOff.add(leader);
  const answers = [1, 2, 3].map((i) => put(replicas, follower, `k${i}`));
  await replicas.time.advance(5000);
  await Promise.all(answers);
  replicas.cutOff.clear();
  await replicas.time.advance(2000);
  for (const id of replicas.ids)
    assert.deepEqual(
      [...versionsOf(replicas, id)],
      [
        ['k1', 1],
        ['k2', 1],
        ['k3', 1],
      ],
    );
});

test('commands beyond what may wait are refused with "too many requests", at once, and only until there is room again', async () => {
  const replicas = new Replicas(3, 5);
  await replicas.start(1); // alone of three: nobody takes what it is given
  const { replica } = replicas.member(1);
  const value = new Uint8Array(1_000_000);
  const tooMany = 'resource-exhausted: etcdserver: too many requests';
  const putLarge = (): Promise<string> =>
    replica.propose({ kind: 'put', request: pb.PutRequest.create({ key: utf8('large'), value }) }).then(
      () => assert.fail('there is no majority'),
      ({ code, message }: GrpcError) => `${code}: ${message}`,
    );
  const room = Math.floor((64 << 20) / (value.length + 20));
  for (let round = 0; round < 2; round++) {
    const taken = Array.from({ length: room }, putLarge);
    for (let i = 0; i < 3; i++) assert.equal(await putLarge(), tooMany, 'without waiting for the others');
    await replicas.time.advance(20_000);
    for (const error of await Promise.all(taken)) assert.notEqual(error, tooMany);
  }
  assert.deepEqual(replicas.failures, []);
});

test('a leader that is cut off steps down; its clients are told soon what cannot happen, and later what may have', async () => {
  const replicas = await started(3, 4);
  const old = replicas.leader() as number;
  replicas.cutOff.add(old);
  const read = assert.rejects(replicas.member(old).replica.linearize(), { message: 'etcdserver: no leader' });
  const write = assert.rejects(put(replicas, old, 'lost'), { message: 'etcdserver: request timed out' });
  await replicas.time.advance(1200);
  assert.equal(replicas.member(old).replica.leader, undefined);
  const late = assert.rejects(put(replicas, old, 'late'), { message: 'etcdserver: no leader' });
  await replicas.time.advance(3500);
  await Promise.all([read, late]);
  await replicas.time.advance(3000);
  await write;
});

test('without a quorum commands wait; they are answered when it is back', async () => {
  const replicas = await started(3, 5);
  const leader = replicas.leader() as number;
  for (const id of replicas.ids) if (id !== leader) await replicas.crash(id);
  const answer = put(replicas, leader, 'waits');
  await replicas.time.advance(2000);
  for (const id of replicas.ids) if (id !== leader) await replicas.start(id);
  await replicas.time.advance(4000);
  await answer;
});

test('leadership moves to the member that is named, or nowhere; what is proposed meanwhile is answered', async () => {
  const replicas = await started(3, 6);
  const old = replicas.leader() as number;
  const [next, other] = replicas.ids.filter((id) => id !== old) as [number, number];
  const move = (from: number, to: number): Promise<void> => replicas.member(from).replica.moveLeader(memberId(BigInt(to)));
  await assert.rejects(move(next, other), { code: 'failed-precondition', message: 'etcdserver: not leader' });
  await assert.rejects(move(old, 99), { code: 'failed-precondition', message: 'etcdserver: bad leader transferee' });
  await move(old, old);
  const answers = replicas.ids.map((id) => put(replicas, id, `before/${id}`));
  const moved = move(old, next);
  answers.push(...replicas.ids.map((id) => put(replicas, id, `meanwhile/${id}`)));
  await replicas.time.advance(100);
  await Promise.all([moved, ...answers]);
  assert.equal(replicas.leader(), next);
  assert.equal(versionsOf(replicas, next).size, 6);

  await replicas.crash(other);
  const failed = assert.rejects(move(next, other), { message: 'etcdserver: request timed out, leader transfer took too long' });
  const answer = put(replicas, next, 'after');
  await replicas.time.advance(2100);
  await Promise.all([failed, answer]);
  assert.equal(replicas.leader(), next, 'it leads on, and took what was proposed meanwhile');
});

test('a leader that stops hands over first: others write on without an election', async () => {
  const replicas = await started(3, 7);
  const old = replicas.leader() as number;
  const follower = replicas.ids.find((id) => id !== old) as number;
  await replicas.time.advance(500);
  const handedOver = replicas.member(old).replica.handOver();
  await replicas.time.advance(50);
  await handedOver;
  await replicas.crash(old);
  const answer = put(replicas, follower, 'a');
  await replicas.time.advance(50);
  await answer;
});

test('a member that is alone, or that follows, has nothing to hand over', async () => {
  const alone = new Replicas(1, 1);
  await alone.start(1);
  await alone.member(1).replica.handOver();
  const replicas = await started(3, 8);
  const leader = replicas.leader();
  for (const id of replicas.ids) if (id !== leader) await replicas.member(id).replica.handOver();
  assert.equal(replicas.leader(), leader);
});

test('a member that is alone tells its clients when its disk hangs', async () => {
  const replicas = new Replicas(1, 9);
  await replicas.start(1);
  await replicas.time.settle();
  replicas
    .member(1)
    .env.fs.delayBy((kind, path) => (kind === 'sync' && path.startsWith('/raft') ? new Promise<never>(() => {}) : undefined));
  const outcomes: string[] = [];
  for (const key of ['a', 'b', 'c']) {
    put(replicas, 1, key).catch((error: unknown) => outcomes.push((error as Error).message));
    await replicas.time.settle();
  }
  await replicas.time.advance(7500);
  assert.deepEqual(outcomes, Array<string>(3).fill('etcdserver: request timed out'));
});

test('a member whose disk is full for its tables still reads what it has, and still stops', async () => {
  const replicas = new Replicas(1, 6);
  await replicas.start(1);
  const { env, replica } = replicas.member(1);
  env.fs.onOperation = ({ kind, path }) => (kind === 'write' && path.startsWith('/db') ? 'no-space' : undefined);
  const outcomes: string[] = [];
  for (let i = 0; i < 400; i++) {
    const request = pb.PutRequest.create({ key: utf8(`k${i}`), value: new Uint8Array(500) });
    replica.propose({ kind: 'put', request }).then(
      () => outcomes.push('done'),
      () => outcomes.push('stopped'),
    );
    await replicas.time.settle();
  }
  await replicas.time.advance(1000);
  assert.ok(versionsOf(replicas, 1).size >= outcomes.length);
  assert.ok(outcomes.length > 50 && outcomes.length < 400, `${outcomes.length} puts before there was no room left`);
  await replica.stop();
  await replicas.time.settle();
  assert.deepEqual([outcomes.length, replicas.failures], [400, []]);
});

/** One run of chaos: what was answered, by key. */
async function chaos(replicas: Replicas, keys: Set<string>): Promise<Set<string>> {
  const answered = new Set<string>();
  const { random } = replicas;
  replicas.loss = random.float() * 0.2;
  for (let step = 0; step < 120; step++) {
    for (const id of replicas.ids) {
      if (!replicas.isRunning(id)) continue;
      for (let n = random.below(3); n > 0; n--) {
        const key = `${step}.${id}.${n}`;
        keys.add(key);
        put(replicas, id, key).then(
          () => answered.add(key),
          () => {}, // unknown: it may have happened
        );
      }
    }
    await replicas.time.advance(random.between(1, 300));
    const down = replicas.ids.filter((id) => !replicas.isRunning(id));
    if (down.length > 0 && random.chance(0.2)) await replicas.start(down[0] as number);
    else if (down.length === 0 && random.chance(0.08)) await replicas.crash(random.between(1, 3));
    if (random.chance(0.05)) replicas.cutOff.add(random.between(1, 3));
    if (random.chance(0.1)) replicas.cutOff.clear();
  }
  return answered;
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`chaos: what was answered happened exactly once, on every member (seed ${seed})`, async () => {
    const replicas = await started(3, seed);
    const keys = new Set<string>();
    const answered = await chaos(replicas, keys);
    replicas.cutOff.clear();
    replicas.loss = 0;
    for (const id of replicas.ids) if (!replicas.isRunning(id)) await replicas.start(id);
    await replicas.time.advance(15_000);
    assert.deepEqual(replicas.failures, []);
    const [first, ...others] = replicas.ids.map((id) => versionsOf(replicas, id));
    assert.ok(first && answered.size > 50, `${answered.size} answered`);
    for (const other of others) assert.deepEqual(other, first, 'all members are equal');
    for (const key of answered) assert.equal(first.get(key), 1, `${key} was answered`);
    for (const [key, version] of first) assert.ok(keys.has(key) && version === 1, `${key} happened once`);
  });
}
