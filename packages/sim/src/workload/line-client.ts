// A client of the services Lock and Election. What a service does for it is written down in the terms of the keys that it changes, so that the judge of the
// whole API knows who asked for it; and the claims to be first, for the judge of lines.
import { messageOf, utf8 } from '@distrokv/base';
import type { ApiHistory } from '../api/api-history.ts';
import { serverCall } from '../api/asking.ts';
import { type Call, type Reply, print, show, textOf } from '../api/calls.ts';
import { FIRST_LINE_LEASE, enterCall, firstCall, placeKey, proclaimCall, resignCall } from '../api/lines.ts';
import { Violation } from '../violation.ts';
import type { Machine } from '../world/machine.ts';
import type { MemberProcess } from '../world/process.ts';
import type { World } from '../world/world.ts';
import { ApiClient } from './api-client.ts';
import { callMember } from './calling.ts';
import type { LineMove, LineScript } from './line-scripts.ts';

/** Its own place: the key, and the create revision where that was told. */
interface Place {
  readonly name: string;
  readonly key: Uint8Array;
  readonly rev: number | undefined;
  readonly lease: bigint;
}

type Header = { readonly revision: number } | undefined;

interface Told<T> {
  readonly answer: T;
  readonly endOrder: number;
}

export class LineClient {
  readonly #world: World;
  readonly #history: ApiHistory;
  readonly #api: ApiClient;
  readonly #index: number;
  #at: number;
  #leases = 0;
  #lease = 0n;
  #place: Place | undefined;
  #values = 0;

  constructor(index: number, world: World, history: ApiHistory) {
    this.#index = index;
    this.#world = world;
    this.#history = history;
    this.#api = new ApiClient(index, world, history, 'l');
    this.#at = index % world.machines.length;
  }

  async play(script: LineScript): Promise<void> {
    for (const move of script) {
      if (this.#world.isClosing) return;
      await this.#world.time.timers.sleep(move.thinkMs);
      if (this.#world.isClosing) return;
      await this.#do(move);
    }
  }

  get #machine(): Machine {
    return this.#world.machines[this.#at] as Machine;
  }

  async #do({ isElection, ttl, what, name, timeoutMs }: LineMove): Promise<void> {
    const place = this.#place;
    switch (what) {
      case 'enter':
        if (this.#lease === 0n) await this.#grant(ttl);
        if (this.#lease === 0n) return;
        return await (isElection ? this.#campaign(name, timeoutMs) : this.#lock(name, timeoutMs));
      case 'leave':
        if (place) await (isElection ? this.#resign(place) : this.#unlock(place));
        return;
      case 'again':
        if (place && isElection) await this.#proclaim(place);
        return;
      case 'first':
        return await this.#first(name);
      case 'renew':
        if (this.#lease !== 0n) await this.#renew();
        return;
      case 'move':
        this.#at = (this.#at + 1) % this.#world.machines.length;
    }
  }

  // --- Its lease. ---

  async #grant(ttl: number): Promise<void> {
    const id = FIRST_LINE_LEASE + BigInt(this.#index * 1000 + ++this.#leases);
    const { outcome } = await this.#api.ask({ kind: 'lease-grant', request: { id, ttl } }, this.#machine, 5000);
    if (outcome?.kind === 'answered' && outcome.reply.kind === 'response') this.#lease = id;
  }

  async #renew(): Promise<void> {
    const { outcome } = await this.#api.ask({ kind: 'lease-keep-alive', request: { id: this.#lease } }, this.#machine, 2000);
    const isGone =
      outcome?.kind === 'answered' &&
      outcome.reply.kind === 'response' &&
      'ttl' in outcome.reply.response &&
      outcome.reply.response.ttl === 0;
    if (!isGone) return;
    this.#lease = 0n;
    this.#place = undefined;
  }

  // --- The services. ---

  async #lock(name: string, timeoutMs: number): Promise<void> {
    const lease = this.#lease;
    const call = enterCall(name, lease, utf8(''));
    const told = await this.#ask(
      call,
      `locks ${name}`,
      timeoutMs,
      async ({ lock }, context) => await lock?.lock?.({ name: utf8(name), lease }, context),
      isBeforeHeld,
    );
    if (told) this.#claims({ name, key: told.answer.key, rev: undefined, lease }, told);
  }

  async #campaign(name: string, timeoutMs: number): Promise<void> {
    const lease = this.#lease;
    const value = this.#value();
    const call = enterCall(name, lease, value);
    const told = await this.#ask(
      call,
      `runs for ${name}`,
      timeoutMs,
      async ({ election }, context) => await election?.campaign?.({ name: utf8(name), lease, value }, context),
    );
    const leader = told?.answer.leader;
    if (told && leader) this.#claims({ name, key: leader.key, rev: leader.rev, lease }, told);
  }

  async #unlock({ key }: Place): Promise<void> {
    const call: Call = { kind: 'delete-range', request: { key, rangeEnd: new Uint8Array(0), prevKv: false } };
    this.#place = undefined;
    await this.#ask(call, `unlocks ${textOf(key)}`, 5000, async ({ lock }, context) => await lock?.unlock?.({ key }, context));
  }

  async #resign({ name, key, rev = 0, lease }: Place): Promise<void> {
    this.#place = undefined;
    await this.#ask(
      resignCall(key, rev),
      `resigns ${textOf(key)}`,
      5000,
      async ({ election }, context) => await election?.resign?.({ leader: { name: utf8(name), key, rev, lease } }, context),
    );
  }

  async #proclaim({ name, key, rev = 0, lease }: Place): Promise<void> {
    const value = this.#value();
    await this.#ask(
      proclaimCall({ key, rev, lease }, value),
      `proclaims at ${textOf(key)}`,
      5000,
      async ({ election }, context) => await election?.proclaim?.({ leader: { name: utf8(name), key, rev, lease }, value }, context),
    );
  }

  async #first(name: string): Promise<void> {
    await this.#ask(
      firstCall(name),
      `asks who leads ${name}`,
      5000,
      async ({ election }, context) => await election?.leader?.({ name: utf8(name) }, context),
    );
  }

  #claims(place: Place, { answer, endOrder }: Told<{ readonly header: Header }>): void {
    this.#place = place;
    const { name, key } = place;
    if (print({ key }) !== print({ key: placeKey(name, place.lease) }))
      this.#world.broken(new Violation('line', `${this.#api.name} is given ${textOf(key)} for its lease ${place.lease} in ${name}`));
    this.#history.claims.push({
      who: this.#api.name,
      name,
      key: textOf(key),
      revision: answer.header?.revision ?? 0,
      endOrder,
    });
  }

  #value(): Uint8Array {
    return utf8(`${this.#api.name}.${++this.#values}`);
  }

  /** `call`: what the service will do for it, and answers with the revision of. An error leaves open whether it did. */
  async #ask<T extends { readonly header: Header }>(
    call: Call,
    says: string,
    timeoutMs: number,
    work: (process: MemberProcess, context: ReturnType<typeof serverCall>) => Promise<T | undefined>,
    isSaid: (reply: Reply, told: T) => boolean = isAlike,
  ): Promise<Told<T> | undefined> {
    const { time, trace } = this.#world;
    const asked = this.#history.begin(call, time.monotonicMs());
    trace.note(this.#api.name, `${says} at ${this.#machine.name}`);
    const giveUp = new AbortController();
    const called = await callMember<T>({
      world: this.#world,
      machine: this.#machine,
      timeoutMs,
      work: async (process) => {
        const told = await work(process, serverCall(AbortSignal.any([process.gate.signal, giveUp.signal])));
        if (!told) throw new Error('a member does not serve locks');
        return told;
      },
      onFailure: (error) => ({ kind: 'unknown', why: messageOf(error) }),
    });
    giveUp.abort(new Error('the client has gone'));
    if (called.kind !== 'answered') {
      this.#history.end(asked, called, time.monotonicMs());
      this.#at = (this.#at + 1) % this.#world.machines.length;
      trace.note(this.#api.name, `${called.kind}: ${called.why}`);
      return undefined;
    }
    const told = called.answer;
    asked.isSaid = (reply) => isSaid(reply, told);
    this.#history.end(asked, { kind: 'answered', reply: { kind: 'response', response: told as never } }, time.monotonicMs());
    trace.note(this.#api.name, `has ${show(told)}`);
    return { answer: told, endOrder: asked.endOrder };
  }
}

/** Whoever has waited for a lock is told the revision at which it had it, which comes after the one at which it stood in line. */
function isBeforeHeld(reply: Reply, told: { readonly header: Header }): boolean {
  return reply.kind === 'response' && (reply.response.header?.revision ?? Infinity) <= (told.header?.revision ?? 0);
}

/** Of the same revision; and of who is first, the same key. */
function isAlike(reply: Reply, told: { readonly header: Header; readonly kv?: object | undefined }): boolean {
  if (reply.kind === 'error') return false;
  const { response } = reply;
  if (response.header?.revision !== told.header?.revision) return false;
  return told.kv === undefined || !('kvs' in response) || print(response.kvs) === print([told.kv]);
}
