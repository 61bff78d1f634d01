// What is measured beside operations per second: latencies, pauses of the event loop, memory, and what the process wrote.
import fs from 'node:fs';
import path from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds each, kept whole: runs are short, and a bucket would blur the tail. */
export class Latencies {
  #samples = [];

  add(ms) {
    this.#samples.push(ms);
  }

  /** Percentiles and the longest, in microseconds. */
  summary() {
    const sorted = Float64Array.from(this.#samples).sort();
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 1000;
    return { p50us: at(0.5), p99us: at(0.99), maxUs: at(1) };
  }
}

/**
 * Sums up stretches of time: of the clock, and of the processors as far as this process had them, all threads together. The second
 * hardly depends on who else is busy on the machine.
 */
export class Stopwatch {
  #start = 0;
  #cpuStart = 0;
  ms = 0;
  cpuMs = 0;

  start() {
    this.#cpuStart = cpuMs();
    this.#start = performance.now();
  }

  stop() {
    this.ms += performance.now() - this.#start;
    this.cpuMs += cpuMs() - this.#cpuStart;
  }

  reset() {
    this.ms = this.cpuMs = 0;
  }

  /** Of `operations` in the time that was summed up. */
  rate(operations) {
    return { perSecond: (operations / this.ms) * 1000, cpuUs: (this.cpuMs / operations) * 1000 };
  }
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Watches the event loop for pauses: a timer is due each millisecond, and what passes beyond that was somebody's work. What the benchmark itself does
 * meanwhile is taken away, if it is told by `apart`.
 */
export class PauseWatch {
  #apartMs = 0;
  #last = { queuedMs: queuedMs(), ms: performance.now() };
  /** By the clock, and without the time in which the thread could have gone on, but others had the processors. */
  #longest = { ms: 0 };
  #longestOwn = { ownMs: 0 };
  #ticks = 0;
  #collections = [];
  #observer = new PerformanceObserver((list) => this.#note(list));
  #timer;

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#timer = setInterval(() => this.#tick(), 1);
  }

  /** So many milliseconds of this turn were the benchmark's own. */
  apart(ms) {
    this.#apartMs += ms;
  }

  #tick() {
    const now = { ms: performance.now(), queuedMs: queuedMs() };
    const ms = now.ms - this.#last.ms - this.#apartMs - 1;
    const pause = { ms, ownMs: ms - (now.queuedMs - this.#last.queuedMs), start: this.#last.ms, end: now.ms, isFirst: this.#ticks === 0 };
    if (pause.ms > this.#longest.ms) this.#longest = pause;
    if (pause.ownMs > this.#longestOwn.ownMs) this.#longestOwn = pause;
    this.#ticks++;
    this.#apartMs = 0;
    // In this order: the kernel may let the meter itself wait, and that is nobody's pause.
    this.#last = { queuedMs: queuedMs(), ms: performance.now() };
  }

  #note(list) {
    for (const { startTime, duration } of list.getEntries()) this.#collections.push([startTime, startTime + duration]);
  }

  /**
   * The longest pause by the clock, and the longest without waiting for a processor; how much of that was garbage collection; and whether it was the
   * first turn of all, when nothing is compiled yet.
   */
  async stop() {
    clearInterval(this.#timer);
    // Collections are told a turn later.
    await sleep(1);
    this.#observer.disconnect();
    const { ownMs, start, end, isFirst } = this.#longestOwn;
    const overlap = ([from, to]) => Math.max(0, Math.min(end, to) - Math.max(start, from));
    const collectingMs = this.#collections.reduce((sum, collection) => sum + overlap(collection), 0);
    return { pauseMs: this.#longest.ms, ownPauseMs: ownMs, ownPauseCollectingMs: collectingMs, ownPauseIsFirst: isFirst };
  }
}

const SCHEDULING = '/proc/thread-self/schedstat';
const schedulingBytes = Buffer.alloc(80);
const scheduling = fs.existsSync(SCHEDULING) ? fs.openSync(SCHEDULING) : undefined;

/** How long this thread has waited for a processor since it began (0 off Linux). */
function queuedMs() {
  if (scheduling === undefined) return 0;
  const length = fs.readSync(scheduling, schedulingBytes, 0, schedulingBytes.length, 0);
  return Number(schedulingBytes.latin1Slice(0, length).split(' ')[1]) / 1e6;
}

/** A file of `name: number` lines in /proc; empty where there is no such thing. */
function procNumbers(file) {
  if (!fs.existsSync(file)) return {};
  return Object.fromEntries([...fs.readFileSync(file, 'utf8').matchAll(/^(\w+):\s+(\d+)/gm)].map(([, name, n]) => [name, Number(n)]));
}

/** Bytes that this process caused to be written to a disk, so far (undefined off Linux). */
export function diskBytesWritten() {
  return procNumbers('/proc/self/io').write_bytes;
}

/** Resident bytes now, and at most so far. */
export function residentBytes() {
  return { now: process.memoryUsage.rss(), peak: process.resourceUsage().maxRSS * 1024 };
}

/** What the files of a directory take on the disk, holes not counted. */
export function directoryBytes(directory) {
  let sum = 0;
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) sum += fs.statSync(path.join(entry.parentPath, entry.name)).blocks * 512;
  }
  return sum;
}

/**
 * Waits until the store works no more in the background: for half a second the process has written nothing and computed next to
 * nothing. Resolves to the moment at which that began.
 */
export async function untilQuiet() {
  const periodMs = 50;
  let since = performance.now();
  let before = activity();
  while (performance.now() - since < 500) {
    await sleep(periodMs);
    const now = activity();
    if (now.written !== before.written || now.cpuMs - before.cpuMs > periodMs / 5) since = performance.now();
    before = now;
  }
  return since;
}

function activity() {
  return { written: procNumbers('/proc/self/io').wchar, cpuMs: cpuMs() };
}

/** Takes the page cache away from everyone, where that is allowed. Throws with the reason where it is not. */
export function dropPageCache() {
  try {
    fs.writeFileSync('/proc/sys/vm/drop_caches', '1');
  } catch (error) {
    throw new Error('a cold read needs the right to drop the page cache (root on Linux)', { cause: error });
  }
}
