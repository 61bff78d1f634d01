// The disk of a machine: files that outlive its processes, at a speed of its own, and with failures that come and go.
import { type Random, seededRandom } from '@distrokv/base';
import {
  type CrashMode,
  type FsErrorCode,
  type FsOperation,
  type FsOperationKind,
  MemoryFileSystem,
  type SimulatedTime,
} from '@distrokv/env';
import { Gate } from './gate.ts';

/** Calls that fail while it lasts. */
export interface DiskTrouble {
  readonly code: FsErrorCode;
  readonly kinds: readonly FsOperationKind[];
  readonly chance: number;
}

const DATA_FILE = /\.(sst|raftlog)$/;
const SECTOR_BYTES = 512;

export class MachineDisk {
  readonly #time: SimulatedTime;
  readonly #random: Random;
  #fs: MemoryFileSystem;
  /** How long a sync takes, and every other call that waits for the disk. */
  syncMs: readonly [low: number, high: number];
  callMs = 0;
  trouble: DiskTrouble | undefined;
  /** Crash the machine at this many changes from now. */
  #crashIn: { calls: number; readonly crash: () => void } | undefined;
  #busyUntilMs = 0;
  /** What a process may blame. */
  faults = 0;
  /** Bytes at rest are not what was written. */
  isDamaged = false;
  /** Of the process that uses it. */
  gate: Gate = new Gate();

  constructor(time: SimulatedTime, random: Random, syncMs: readonly [number, number]) {
    this.#time = time;
    this.#random = random;
    this.syncMs = syncMs;
    this.#fs = this.#prepared(new MemoryFileSystem({ random: seededRandom(random.uint32()) }));
  }

  get fs(): MemoryFileSystem {
    return this.#fs;
  }

  /** The process is gone, and unless it was `killed`, so was the power. */
  crash(mode: CrashMode | 'killed'): void {
    this.#crashIn = undefined;
    this.#busyUntilMs = 0;
    this.#fs = this.#prepared(mode === 'killed' ? this.#fs.kill() : this.#fs.crash(mode, this.#random));
  }

  /** The disk dies in the midst of the `calls`-th change from now; then `crash` is called. */
  crashAtChange(calls: number, crash: () => void): void {
    this.#crashIn = { calls, crash };
  }

  /** Another disk takes its place, empty. */
  replace(): void {
    this.isDamaged = false;
    this.#fs.crash('lost', this.#random);
    this.#fs = this.#prepared(new MemoryFileSystem({ random: seededRandom(this.#random.uint32()) }));
  }

  heal(): void {
    this.trouble = undefined;
    this.#crashIn = undefined;
    this.callMs = 0;
  }

  /**
   * Flips a bit, or lays a sector where another belongs, in a file of data; says what it did. The newest segment of the log is spared:
   * damage to the last records that share a sync cannot be told from a write that a crash cut short.
   */
  rot(random: Random, kind: 'flip' | 'misdirect'): string | undefined {
    const data = this.#fs.files().filter(({ path }) => DATA_FILE.test(path));
    const newest = data.filter(({ path }) => path.endsWith('.raftlog')).at(-1)?.path;
    const files = data.filter(({ path, bytes }) => path !== newest && bytes > 2 * SECTOR_BYTES);
    const { path, bytes: end } = files[random.below(Math.max(1, files.length))] ?? { path: '', bytes: 0 };
    if (path === '') return undefined;
    this.isDamaged = true;
    const position = random.below(end - SECTOR_BYTES);
    const [from, mask] = [random.below(end - SECTOR_BYTES), 1 << random.below(8)];
    this.#fs.damage(path, (contents) => {
      if (kind === 'misdirect') contents.copyWithin(position, from, from + SECTOR_BYTES);
      else if (position < contents.length) contents[position] = (contents[position] ?? 0) ^ mask;
    });
    return `${path} at ${position}`;
  }

  #prepared(fs: MemoryFileSystem): MemoryFileSystem {
    fs.onOperation = (operation) => this.#strike(operation);
    fs.delayBy((kind) => this.#delay(kind));
    return fs;
  }

  #strike({ kind, mutation }: FsOperation): FsErrorCode | 'crash' | undefined {
    if (this.#crashIn && mutation !== undefined && --this.#crashIn.calls <= 0) {
      const { crash } = this.#crashIn;
      this.#crashIn = undefined;
      this.faults++;
      // Not from inside the call that fails: the machine is taken down in the same instant, once this turn is over.
      this.#time.timers.defer(crash);
      return 'crash';
    }
    if (!this.trouble || !this.trouble.kinds.includes(kind) || !this.#random.chance(this.trouble.chance)) return undefined;
    this.faults++;
    return this.trouble.code;
  }

  /** One call after the other: what comes first is done first. */
  #delay(kind: FsOperationKind): Promise<void> | undefined {
    const isSync = kind === 'sync' || kind === 'syncDirectory';
    const [low, high] = this.syncMs;
    const ms = this.callMs + (isSync ? low + this.#random.float() * (high - low) : 0);
    const now = this.#time.monotonicMs();
    if (ms === 0 && this.#busyUntilMs <= now) return undefined;
    this.#busyUntilMs = Math.max(now, this.#busyUntilMs) + ms;
    const gate = this.gate;
    return new Promise((resolve) => this.#time.timers.after(this.#busyUntilMs - now, () => gate.enter(resolve)));
  }
}
