// What a member has to say, sorted by when it may be said.
import { unreachable } from '@distrokv/base';
import type { MemberId } from '@distrokv/base';
import type { Message } from './messages.ts';
import type { ReadState } from './types.ts';

/**
 * Whether a message promises that something is durable, so that it must not leave before the disk has it (Raft figure 2:
 * "updated on stable storage before responding"). Everything else may overtake the disk:
 * - A leader's appends and heartbeats say what its log holds in memory; the leader counts itself only once it is durable.
 * - A heartbeat's answer says who leads now. A member that forgets it in a crash can't have elected anybody in between.
 * - A refusal gives nothing away, and a pre-vote binds nobody: neither who asks nor who grants it.
 * A candidate's request promises its term and its vote for itself: sent too early, a crash would let it run again in the
 * same term with a shorter log, and collect the votes that the longer one had won.
 */
function isPromise(message: Message): boolean {
  switch (message.kind) {
    case 'request-vote':
      return true;
    case 'request-vote-response':
      return message.granted;
    case 'append-entries-response':
      return message.success;
    case 'pre-vote':
    case 'pre-vote-response':
    case 'append-entries':
    case 'heartbeat':
    case 'heartbeat-response':
    case 'timeout-now':
    case 'propose':
    case 'propose-configuration':
    case 'read-index':
    case 'read-index-response':
      return false;
    default:
      return unreachable(message);
  }
}

/** A promise rests on everything written or to be written when it is made: it leaves with the first Ready after it, behind that Ready's write. */
export class Outbox {
  #messages: Message[] = [];
  #promises: Message[] = [];
  #readStates: ReadState[] = [];
  #snapshots: MemberId[] = [];

  send(message: Message): void {
    (isPromise(message) ? this.#promises : this.#messages).push(message);
  }

  answerRead(state: ReadState): void {
    this.#readStates.push(state);
  }

  askForSnapshot(to: MemberId): void {
    this.#snapshots.push(to);
  }

  get hasPromises(): boolean {
    return this.#promises.length > 0;
  }

  get empty(): boolean {
    return this.#messages.length + this.#promises.length + this.#readStates.length + this.#snapshots.length === 0;
  }

  take(): {
    readonly messages: Message[];
    readonly promises: Message[];
    readonly readStates: ReadState[];
    readonly snapshots: MemberId[];
  } {
    const taken = { messages: this.#messages, promises: this.#promises, readStates: this.#readStates, snapshots: this.#snapshots };
    this.#messages = [];
    this.#promises = [];
    this.#readStates = [];
    this.#snapshots = [];
    return taken;
  }
}
