// The simulated world: machines, the network between them, and the clients beside it. Nothing in here is left to the host: the same seed
// gives the same run.
import { type LogIndex, type MemberId, messageOf, seededRandom } from '@distrokv/base';
import { type CrashMode, type Logger, SimulatedTime } from '@distrokv/env';
import { GrpcError } from '@distrokv/grpc';
import type { Message } from '@distrokv/raft';
import { type JoinedAs, ServerError, type SnapshotSource, parseEndpointUrl, serverDefaults, type ServerConfig } from '@distrokv/server';
import type { CommittedLog } from '../api/committed-log.ts';
import type { RaftJudge } from '../judges/raft-safety.ts';
import type { Plan } from '../plan.ts';
import { Trace } from '../trace.ts';
import { Violation } from '../violation.ts';
import { Machine } from './machine.ts';
import { Network } from './network.ts';
import type { MemberProcess } from './process.ts';

/** A process that stopped itself is started again after this time, as by a supervisor. */
const RESTART_MS = 700;
/** A stream is given up when a message of it is under way for so long, or a snapshot is. */
const CROSSING_MS = 2000;
const SNAPSHOT_MS = 60_000;
const CALL_MS = 10_000;

export interface WorldOptions {
  readonly plan: Plan;
  readonly judge: RaftJudge;
  readonly committed: CommittedLog;
  readonly keepsLines: boolean;
}

interface Strike {
  readonly message: Message['kind'];
  readonly leaves: boolean;
  readonly crash: () => void;
}

export class World {
  readonly time: SimulatedTime = new SimulatedTime();
  readonly trace: Trace;
  readonly network: Network;
  readonly machines: readonly Machine[];
  readonly #judge: RaftJudge;
  readonly #committed: CommittedLog;
  /** How many machines are members from the start. */
  readonly #members: number;
  readonly #byId = new Map<MemberId, Machine>();
  readonly #byProcess = new Map<MemberProcess, Machine>();
  /** Whose power is to fail at a message, and whose did in this instant: nothing leaves it any more. */
  readonly #armed = new Map<MemberProcess, Strike>();
  readonly #struck = new WeakSet<MemberProcess>();
  /** The first promise that was seen broken. */
  violation: Violation | undefined;
  /** Clients are to finish what they are about. */
  isClosing = false;
  /** Processes that stopped themselves, for the report. */
  failStops = 0;

  constructor({ plan, judge, committed, keepsLines }: WorldOptions) {
    const random = seededRandom(plan.seed + 0.5 * 2 ** 32);
    this.trace = new Trace(() => this.time.monotonicMs(), keepsLines);
    this.network = new Network(this.time, seededRandom(random.uint32()), plan.weather);
    this.#judge = judge;
    this.#committed = committed;
    this.#members = plan.members;
    const names = plan.machines.map((_, i) => `n${i + 1}`);
    const members = names.slice(0, plan.members);
    this.machines = plan.machines.map(
      ({ clockRate, syncMs }, index) =>
        new Machine({
          index,
          time: this.time,
          random: seededRandom(random.uint32()),
          config: configOf(members, names[index] as string, plan),
          sizes: plan.sizes,
          clockRate,
          preemption: plan.preemption,
          syncMs,
          logger: this.#loggerOf(names[index] as string),
          process: {
            onSend: (process, messages) => this.#send(process, messages),
            onSnapshot: (process, to, source) => this.#snapshot(process, to, source),
            onJoin: (process, peerUrls, replace) => this.#join(process, peerUrls, replace),
            onPromote: (process, leader, learner) => this.#promote(process, leader, learner),
            connectedSinceMs: (process, peer) => this.#connectedSinceMs(process, peer),
            onStarted: (process) => this.#started(process),
            onEnd: (process, error) => this.#ended(process, error),
          },
        }),
    );
  }

  start(machine: Machine): void {
    if (machine.index >= this.#members && machine.joins === 'no') return; // It was not added yet.
    if (!machine.start()) return;
    this.trace.note(machine.name, 'starts');
    if (machine.process) this.#byProcess.set(machine.process, machine);
  }

  crash(machine: Machine, mode: CrashMode | 'killed'): void {
    const process = machine.process;
    if (!machine.crash(mode)) return;
    if (process) this.#byProcess.delete(process);
    this.#judge.died(machine.index);
    this.trace.note(machine.name, mode === 'killed' ? 'is killed' : `loses power (unsynced: ${mode})`);
  }

  /** `crash` is called in the moment when the process that runs there now sends such a message. */
  crashAtMessage({ process }: Machine, { message, leaves }: Omit<Strike, 'crash'>, crash: () => void): void {
    if (process) this.#armed.set(process, { message, leaves, crash });
  }

  disarm(): void {
    this.#armed.clear();
  }

  /** A process ended by itself. */
  stopped(machine: Machine): void {
    if (machine.process) return;
    this.#judge.died(machine.index);
    this.trace.note(machine.name, 'has stopped');
  }

  later(delayMs: number, run: () => void): void {
    this.time.timers.after(delayMs, run);
  }

  broken(violation: Violation): void {
    if (this.violation) return;
    this.violation = violation;
    this.trace.note('judge', violation.message);
  }

  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.broken(error);
    }
  }

  /** Hands the judges what every machine says of itself. */
  observeAll(): void {
    for (const machine of this.machines) this.observe(machine);
  }

  observe(machine: Machine): void {
    const running = machine.process?.running;
    if (!running) return;
    this.#committed.observe(running.member.raft, running.storage);
    this.guard(() => this.#judge.observe(machine.index, running.member.raft, running.storage));
  }

  #started(process: MemberProcess): void {
    const machine = this.#byProcess.get(process);
    if (!machine || !process.running) return;
    for (const [id, known] of this.#byId) if (known === machine) this.#byId.delete(id);
    this.#byId.set(process.running.member.id, machine);
    process.startedMs = this.time.monotonicMs();
    this.trace.note(machine.name, `is up, applied ${process.running.storage.store.state.appliedIndex}`);
    this.#judge.started(machine.index, process.running.storage);
  }

  #ended(process: MemberProcess, error: unknown): void {
    const machine = this.#byProcess.get(process);
    if (!machine) return;
    this.failStops++;
    this.trace.note(machine.name, `stops itself: ${messageOf(error)}`);
    const isRemoved = error instanceof ServerError && error.code === 'removed';
    const isDamaged = error instanceof ServerError && error.code === 'corrupt';
    if (!machine.hasExcuse && !isRemoved)
      this.broken(new Violation('fail-stop', `${machine.name} stops itself, although its disk is well: ${messageOf(error)}`));
    if (isDamaged || isRemoved) machine.isGone = true;
    this.crash(machine, 'killed');
    this.later(RESTART_MS, () => this.start(machine));
  }

  #send(process: MemberProcess, given: readonly Message[]): void {
    const machine = this.#byProcess.get(process);
    if (!machine || this.#struck.has(process)) return;
    const strike = this.#armed.get(process);
    const struck = strike ? given.findIndex((message) => message.kind === strike.message && isPromise(message)) : -1;
    const messages = struck < 0 ? given : given.slice(0, struck + 1);
    for (const message of messages) {
      this.trace.note(machine.name, describe(message, this.#byId.get(message.to)?.name));
      this.guard(() => this.#judge.sent(machine.index, message));
      this.#committed.sent(message);
    }
    this.observe(machine);
    const leaving = strike && struck >= 0 && !strike.leaves ? messages.slice(0, -1) : messages;
    for (const to of new Set(leaving.map((message) => message.to)))
      this.#carry(
        machine,
        this.#byId.get(to),
        leaving.filter((message) => message.to === to),
      );
    if (!strike || struck < 0) return;
    this.#armed.delete(process);
    this.#struck.add(process);
    // Not from inside the call that sends: the machine is taken down in the same instant, once this turn is over.
    this.time.timers.defer(() => {
      if (this.isClosing) this.#struck.delete(process);
      else if (machine.process === process) strike.crash();
    });
  }

  #carry(from: Machine, to: Machine | undefined, messages: readonly Message[]): void {
    if (!to) return;
    const sender = messages[0]?.from;
    const parts = this.network.weather.datagram ? messages.map((message) => [message]) : [messages];
    for (const part of parts) {
      const deliver = (isRepeat: boolean): void => {
        if (sender !== undefined && to.process?.knowsRemoved(sender)) this.#tellRemoved(to, from, sender);
        else to.process?.deliver(isRepeat ? part.filter(mayRepeat) : part);
      };
      this.network.send(from.index, to.index, deliver, from.leadMs);
    }
  }

  #tellRemoved(from: Machine, to: Machine, member: MemberId): void {
    this.network.send(from.index, to.index, () => {
      if (to.process?.running?.member.id === member) to.process.toldRemoved();
    });
  }

  /** Asks the first machine that can be reached. */
  async #join(process: MemberProcess, peerUrls: readonly string[], replace: boolean): Promise<JoinedAs> {
    const own = this.#byProcess.get(process);
    const other = this.machines.find((machine) => machine !== own && machine.process?.running && !machine.process.gate.isPaused);
    if (!own || !other) throw new GrpcError('unavailable', 'nobody is there');
    await this.#cross(own, other);
    const answer = await this.#unlessItDies(other, other.process?.answerJoin(peerUrls, replace));
    await this.#cross(other, own);
    if (!answer) throw new GrpcError('unavailable', 'nobody is there');
    this.trace.note(own.name, `${other.name} says who it is`);
    return answer;
  }

  async #promote(process: MemberProcess, leader: MemberId, learner: MemberId): Promise<void> {
    const [from, to] = [this.#byProcess.get(process), this.#byId.get(leader)];
    if (!from || !to) throw new GrpcError('unavailable', 'nobody is there');
    await this.#cross(from, to);
    await this.#unlessItDies(to, to.process?.promote(learner));
    await this.#cross(to, from);
  }

  /** A call ends when the connection breaks, too, and after `ms` in any case. */
  #unlessItDies<T>({ process }: Machine, call: Promise<T> | undefined, ms = CALL_MS): Promise<T | undefined> {
    const death = new Promise<never>((_, reject) =>
      process?.gate.onDeath(() => reject(new GrpcError('unavailable', 'the connection broke'))),
    );
    death.catch(() => {});
    return Promise.race([call, death, this.#tooLong(ms)]);
  }

  #connectedSinceMs(process: MemberProcess, peer: MemberId): number | undefined {
    const [from, to] = [this.#byProcess.get(process), this.#byId.get(peer)];
    if (!from || !to?.process?.running || this.network.isCut(from.index, to.index)) return undefined;
    return from.clock.monotonicMs() - (this.time.monotonicMs() - to.process.startedMs) * from.clock.rate;
  }

  /** The receiver asks for piece after piece; every question and every answer crosses the network. */
  async #snapshot(process: MemberProcess, toId: MemberId, source: SnapshotSource): Promise<LogIndex> {
    const [from, to] = [this.#byProcess.get(process), this.#byId.get(toId)];
    if (!from || !to) throw new GrpcError('unavailable', 'nobody is there');
    this.trace.note(from.name, `→ ${to.name}  snapshot (${source.files.length} files)`);
    await this.#cross(from, to);
    const taken = to.process?.takeSnapshot({
      id: source.id,
      files: source.files,
      read: async (file, offset, length) => {
        await this.#cross(to, from);
        const piece = await this.#unlessItDies(from, source.read(file, offset, length));
        if (!piece) throw new GrpcError('unavailable', 'the stream broke');
        await this.#cross(from, to);
        return piece;
      },
    });
    const index = await this.#unlessItDies(to, taken, SNAPSHOT_MS);
    if (index === undefined) throw new GrpcError('unavailable', 'nobody is there');
    return index;
  }

  /** One message from one machine to another; rejects when it does not arrive for long. */
  #cross(from: Machine, to: Machine): Promise<void> {
    const arrives = new Promise<void>((resolve) => this.network.send(from.index, to.index, () => resolve()));
    return Promise.race([arrives, this.#tooLong(CROSSING_MS)]);
  }

  #tooLong(ms: number): Promise<never> {
    return new Promise((_, reject) => this.later(ms, () => reject(new GrpcError('unavailable', 'the stream broke'))));
  }

  #loggerOf(name: string): Logger {
    const note = (message: string): void => this.trace.note(name, `“${message}”`);
    return { debug: () => {}, info: note, warn: note, error: note, fatal: note };
  }
}

/** Proposals are handed to a leader at most once: that is what `PeerSender` demands of its transport. Raft's own messages may come again. */
const mayRepeat = ({ kind }: Message): boolean => kind !== 'propose';

function configOf(initial: readonly string[], name: string, plan: Plan): ServerConfig {
  const names = initial.includes(name) ? initial : [...initial, name];
  const members = names.map((each) => ({ name: each, peerUrls: [parseEndpointUrl(`http://${each}:2380`, 'peer')] }));
  const client = parseEndpointUrl(`http://${name}:2379`, 'client');
  const peerUrls = members.find((member) => member.name === name)?.peerUrls ?? [];
  return {
    name,
    dataDirectory: '/data',
    listenClientUrls: [client],
    advertiseClientUrls: [client],
    listenPeerUrls: peerUrls,
    initialAdvertisePeerUrls: peerUrls,
    initialCluster: members,
    initialClusterState: 'new',
    initialClusterToken: `sim-${plan.seed}`,
    heartbeatMs: serverDefaults.heartbeatMs,
    electionMs: serverDefaults.electionMs,
    leaseReads: plan.leaseDrift === undefined ? undefined : { maxDrift: plan.leaseDrift },
    quotaBytes: Infinity,
    maxRequestBytes: serverDefaults.maxRequestBytes,
    maxTxnOps: serverDefaults.maxTxnOps,
    ...plan.api?.limits,
  };
}

/** A refusal binds nobody: a crash after it is as any other. */
function isPromise(message: Message): boolean {
  if (message.kind === 'request-vote-response') return message.granted;
  return message.kind !== 'append-entries-response' || message.success;
}

function describe(message: Message, to = '?'): string {
  const more: (string | number | boolean)[] = [];
  switch (message.kind) {
    case 'append-entries':
      more.push(
        `after ${message.prevLogIndex}/${message.prevLogTerm}`,
        `${message.entries.length} entries`,
        `commit ${message.leaderCommit}`,
      );
      break;
    case 'append-entries-response':
      more.push(message.success ? `matches ${message.matchIndex}` : `refused, agree at ${message.conflictIndex}/${message.conflictTerm}`);
      break;
    case 'heartbeat':
      more.push(`commit ${message.leaderCommit}`, `round ${message.readRound}`);
      break;
    case 'request-vote':
    case 'pre-vote':
      more.push(`log ends ${message.lastLogIndex}/${message.lastLogTerm}`);
      break;
    case 'request-vote-response':
    case 'pre-vote-response':
      more.push(message.granted ? 'granted' : 'refused');
      break;
    case 'propose':
      more.push(`${message.commands.length} commands`);
      break;
    case 'read-index-response':
      more.push(`index ${message.readIndex}`);
      break;
    default:
  }
  return `→ ${to}  ${message.kind} t${message.term}${more.length > 0 ? ` (${more.join(', ')})` : ''}`;
}
