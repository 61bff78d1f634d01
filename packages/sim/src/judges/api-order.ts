// Strict serializability of the whole API. The order in which things took effect is that of the committed log; a model of the API performs it, and
// every answer must be the model's, to the last field: of a write, at its place in the log; of a read, at some place where the store was at the
// revision that it names. No entry of the log may be there that nobody asked for, nor twice; no answer without its entry; and what ended
// before something else began must come first.
import type { etcdserverpb as pb } from '@distrokv/proto';
import { isOfService } from '../api/lines.ts';
import { type Call, type Reply, describeCall, describeReply, isWrite, print } from '../api/calls.ts';
import type { Replay, Step } from '../api/replay.ts';
import { refusalOf } from '../api/model-rules.ts';
import { Violation } from '../violation.ts';
import type { Asked } from './asked.ts';

/** Positions of the log between which a call may have taken effect, both included. */
interface Place {
  readonly from: number;
  readonly to: number;
}

/** What a server makes of a TTL that is too short for it. */
const LEAST_TTL = 2;

export class ApiOrderJudge {
  readonly #asked: readonly Asked[];
  readonly #places = new Map<Asked, Place[]>();
  /** Those that have their entry. */
  readonly #written = new Set<Asked>();
  /** Writes that no entry was found for yet, by what they ask for. */
  readonly #writes = new Map<string, Asked[]>();
  /** Reads that were answered, by the revision that they name; also transactions that may have chosen only to read, which do not go through the log. */
  readonly #reads = new Map<number, Asked[]>();

  constructor(asked: readonly Asked[]) {
    this.#asked = asked;
    for (const one of asked) {
      if (one.outcome === 'refused' || refusalOf(one.call) !== undefined) continue;
      if (isWrite(one.call)) put(this.#writes, keyOf(one.call), one);
      if (isRead(one.call) && one.revision !== undefined) put(this.#reads, one.revision, one);
    }
  }

  /** The last position that a call was found at: what granted or renewed a lease is told by it. */
  placeOf(asked: Asked): number | undefined {
    return this.#places.get(asked)?.[0]?.from;
  }

  /** To be called at position 0, and after each step of the replay. Throws a Violation. */
  at(replay: Replay, step: Step | undefined): void {
    if (step?.call && step.reply) this.#wrote(step, step.call, step.reply);
    const position = replay.revisions.length - 1;
    const isNew = position === 0 || replay.revisions[position] !== replay.revisions[position - 1];
    for (const read of this.#reads.get(replay.model.revision) ?? []) {
      if (this.#written.has(read)) continue;
      const places = this.#places.get(read);
      // Keys and the past depend on the revision alone, until there is a compaction; leases come and go in between.
      if (!isNew && !dependsOnLeases(read.call) && replay.compactions[position] === replay.compactions[position - 1]) {
        const last = places?.at(-1);
        if (last?.to === position - 1) places?.splice(-1, 1, { ...last, to: position });
        continue;
      }
      const expected = read.call.kind === 'txn' && isWrite(read.call) ? replay.model.peek(read.call) : replay.model.perform(read.call);
      if (expected && read.isSaid(expected)) put(this.#places, read, { from: position, to: position });
      else if (isNew && !isWrite(read.call) && !dependsOnLeases(read.call)) this.#wrongly(read, replay.model.perform(read.call));
    }
  }

  /** Once the log is at its end. Returns how many calls were judged. */
  end(replay: Replay): number {
    let judged = 0;
    for (const one of this.#asked) {
      if (one.outcome !== 'answered') continue;
      judged++;
      const refusal = refusalOf(one.call);
      if (refusal !== undefined) {
        if (one.why !== refusal) this.#wrongly(one, { kind: 'error', why: refusal });
      } else if (isRead(one.call) && one.why !== undefined && !this.#written.has(one)) this.#refusedRead(one, replay);
      else if (!this.#places.has(one))
        throw new Violation('order', `${describeCall(one.call)} was answered ${one.said}, which is nowhere in what was committed`);
    }
    this.#judgeRealTime();
    return judged;
  }

  #wrote({ position, committed }: Step, call: Call, reply: Reply): void {
    const key = keyOf(call);
    const candidates = (this.#writes.get(key) ?? []).filter(({ startOrder }) => startOrder <= committed.seenOrder);
    const [answered] = candidates.filter((one) => one.outcome === 'answered' && one.isSaid(reply)).sort((a, b) => a.endOrder - b.endOrder);
    const asked = answered ?? candidates.find(({ outcome }) => outcome === 'unknown');
    if (!asked) {
      const [wrong] = candidates;
      if (isOfService(call)) return;
      if (wrong) this.#wrongly(wrong, reply);
      throw new Violation('order', `nobody asked for what was committed: ${describeCall(call)}, which is answered ${describeReply(reply)}`);
    }
    this.#writes.set(
      key,
      (this.#writes.get(key) ?? []).filter((one) => one !== asked),
    );
    this.#places.set(asked, [{ from: position, to: position }]);
    this.#written.add(asked);
  }

  #wrongly(one: Asked, expected: Reply): never {
    throw new Violation('order', `${describeCall(one.call)} was answered ${one.said}, and should be ${describeReply(expected)}`);
  }

  /** A read of a revision that is compacted, or yet to come, at a time when that is so. */
  #refusedRead(one: Asked, { revisions, compactions }: Replay): void {
    const wanted = revisionsIn(one.call);
    const last = revisions.length - 1;
    if (one.why === 'etcdserver: mvcc: required revision has been compacted') {
      const from = compactions.findIndex((compacted) => wanted.some((each) => each > 0 && each < compacted));
      if (from >= 0) return void this.#places.set(one, [{ from, to: last }]);
    }
    if (one.why === 'etcdserver: mvcc: required revision is a future revision') {
      const to = revisions.findLastIndex((revision) => wanted.some((each) => each > revision));
      if (to >= 0) return void this.#places.set(one, [{ from: 0, to }]);
    }
    throw new Violation('order', `${describeCall(one.call)} was refused with ${one.said}, which is true at no time`);
  }

  /** What ended before something else began took effect no later. A serializable read may be of the past, and bounds nothing. */
  #judgeRealTime(): void {
    const events = this.#asked
      .filter((one) => this.#places.has(one) && !isSerializable(one.call))
      .flatMap((one) => [
        { order: one.startOrder, isStart: true, one },
        ...(one.outcome === 'answered' ? [{ order: one.endOrder, isStart: false, one }] : []),
      ])
      .sort((a, b) => a.order - b.order);
    const chosen = new Map<Asked, number>();
    let latest = 0;
    let latestOne: Asked | undefined;
    for (const { isStart, one } of events) {
      if (isStart) {
        const places = this.#places.get(one) ?? [];
        const place = places.map(({ from, to }) => (to >= latest ? Math.max(from, latest) : undefined)).find((each) => each !== undefined);
        if (place === undefined)
          throw new Violation(
            'order',
            `stale: ${describeCall(one.call)}, answered ${one.said}, took effect at place ${places.at(-1)?.to} of the log, but before it began, ${latestOne ? `${describeCall(latestOne.call)}, answered ${latestOne.said},` : 'something'} did at ${latest}`,
          );
        chosen.set(one, place);
      } else if ((chosen.get(one) ?? 0) > latest) {
        latest = chosen.get(one) ?? 0;
        latestOne = one;
      }
    }
  }
}

function put<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** The same for a call and for the command that it becomes. */
function keyOf(call: Call): string {
  if (call.kind === 'lease-leases') return call.kind;
  if (call.kind === 'lease-grant') return `${call.kind} ${call.request.id} ${Math.max(call.request.ttl, LEAST_TTL)}`;
  return `${call.kind} ${print(call.request)}`;
}

/** Whether it may be answered without the log. */
const isRead = (call: Call): boolean => call.kind === 'txn' || !isWrite(call);

const dependsOnLeases = ({ kind }: Call): boolean => kind === 'lease-time-to-live' || kind === 'lease-leases';

function isSerializable(call: Call): boolean {
  if (call.kind === 'range') return call.request.serializable;
  if (call.kind !== 'txn') return false;
  const ops = [...call.request.success, ...call.request.failure];
  return ops.length > 0 && ops.every(({ request }) => request?.case === 'requestRange' && request.value.serializable);
}

function revisionsIn(call: Call): number[] {
  if (call.kind === 'range') return [call.request.revision];
  return call.kind === 'txn' ? revisionsInTxn(call.request) : [];
}

function revisionsInTxn({ success, failure }: pb.TxnRequest): number[] {
  return [...success, ...failure].flatMap(({ request }) => {
    if (request?.case === 'requestRange') return [request.value.revision];
    return request?.case === 'requestTxn' ? revisionsInTxn(request.value) : [];
  });
}
