// A machine: a disk and a clock that stay, and the process that runs on them, if one does.
import { type Random, seededRandom } from '@distrokv/base';
import { type CrashMode, type Logger, type SimulatedTime, createMemoryEnv } from '@distrokv/env';
import type { ServerConfig, StorageSizes } from '@distrokv/server';
import { MachineDisk } from './disk.ts';
import { Gate } from './gate.ts';
import { MachineClock, ProcessClock, processTimers } from './machine-time.ts';
import { MemberProcess, type ProcessOptions } from './process.ts';

export interface MachineOptions {
  /** From 0. */
  readonly index: number;
  readonly time: SimulatedTime;
  readonly random: Random;
  readonly config: ServerConfig;
  readonly sizes: StorageSizes;
  readonly clockRate: number;
  readonly preemption: number;
  readonly syncMs: readonly [low: number, high: number];
  readonly logger: Logger;
  readonly process: Pick<ProcessOptions, 'onSend' | 'onSnapshot' | 'onJoin' | 'onPromote' | 'connectedSinceMs' | 'onStarted' | 'onEnd'>;
}

export class Machine {
  readonly index: number;
  readonly name: string;
  readonly disk: MachineDisk;
  readonly clock: MachineClock;
  readonly #options: MachineOptions;
  #process: MemberProcess | undefined;
  #processClock: ProcessClock | undefined;
  #stopping: MemberProcess | undefined;
  /** Nothing will run here any more: its disk is lost or damaged, or it was removed from the cluster. */
  isGone = false;
  /** It begins by asking the cluster who it is: because it was added, or to take its own place after the loss of its disk. */
  joins: 'no' | 'added' | 'again' = 'no';
  /** Faults of the disk that there were when the process started. */
  #faultsBefore = 0;
  /** See ProcessClock. */
  preemption: number;

  constructor(options: MachineOptions) {
    const { index, time, random, clockRate, syncMs, config } = options;
    this.#options = options;
    this.preemption = options.preemption;
    this.index = index;
    this.name = config.name;
    this.clock = new MachineClock(time, clockRate, 1000 * random.below(1000));
    this.disk = new MachineDisk(time, seededRandom(random.uint32()), syncMs);
  }

  get process(): MemberProcess | undefined {
    return this.#process;
  }

  /** How far the clock of its process leads the world: in so long it sends what it sends now. */
  get leadMs(): number {
    return (this.#processClock?.leadMs() ?? 0) / this.clock.rate;
  }

  /** Whether the disk failed under the process that runs, or is damaged. */
  get hasExcuse(): boolean {
    return this.disk.isDamaged || this.disk.faults > this.#faultsBefore;
  }

  /** The process is on its way to end by itself. */
  get isStopping(): boolean {
    return this.#process !== undefined && this.#stopping === this.#process;
  }

  /** Without effect while a process runs, or when none ever will. */
  start(): boolean {
    if (this.#process || this.isGone) return false;
    const { time, random, config, sizes, logger, process } = this.#options;
    const gate = new Gate();
    const joining = this.joins === 'no' ? config : { ...config, initialClusterState: 'existing' as const, rejoin: this.joins === 'again' };
    const clock = new ProcessClock(this.clock, seededRandom(random.uint32()), () => this.preemption);
    const env = {
      ...createMemoryEnv({ seed: random.uint32(), fs: this.disk.fs, time }),
      clock,
      timers: processTimers(time, this.clock, gate, () => clock.leadMs()),
    };
    this.#processClock = clock;
    this.disk.gate = gate;
    this.#faultsBefore = this.disk.faults;
    this.#process = new MemberProcess({ config: joining, env, gate, logger, sizes, ...process });
    void this.#process.start();
    return true;
  }

  /** Ends the process. `killed`: the machine lives on, and its page cache with it; else its power fails. */
  crash(mode: CrashMode | 'killed'): boolean {
    if (!this.#process) return false;
    this.#process.gate.kill();
    this.#process = undefined;
    this.disk.crash(mode);
    return true;
  }

  /** Resolves when the process has ended by itself. */
  async stop(graceMs: number): Promise<void> {
    const process = this.#process;
    if (!process?.running || this.#stopping === process) return;
    this.#stopping = process;
    await process.stop(graceMs);
    if (this.#process === process) this.crash('killed');
  }
}
