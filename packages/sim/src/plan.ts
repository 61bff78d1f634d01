// What a seed says: the cluster, its weather, its faults and what its clients will do. Swarm testing (Groce et al., ISSTA 2012): each seed
// leaves out most kinds of faults and draws the rates of the others, so that rare mixtures come up, too.
import { type Random, seededRandom } from '@distrokv/base';
import type { CrashMode, FsOperationKind } from '@distrokv/env';
import type { StorageSizes } from '@distrokv/server';
import { type Fault, type FaultKind, LEADER } from './faults.ts';
import type { Weather } from './world/network.ts';
import { type ApiPlan, drawApi } from './workload/api-plan.ts';
import { type Script, drawScripts } from './workload/scripts.ts';

export interface Plan {
  readonly seed: number;
  /** The first `members` are the cluster at its start; others may be added. */
  readonly members: number;
  readonly membership: 'fixed' | 'changing' | 'rejoin';
  readonly machines: readonly { readonly clockRate: number; readonly syncMs: readonly [low: number, high: number] }[];
  /** Machines that may be lost for good: a minority. */
  readonly victims: readonly number[];
  readonly sizes: StorageSizes;
  /** What else runs on the machines: how often a process that looks at its clock finds that others had the processor meanwhile. */
  readonly preemption: number;
  readonly weather: Weather;
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  readonly scripts: readonly Script[];
  /** In a quarter of the seeds: reads are answered under leases, and no clock runs faster or slower than by this. */
  readonly leaseDrift: number | undefined;
  /** In two seeds of five: clients of the whole API, beside two of the others. */
  readonly api: ApiPlan | undefined;
}

const CRASH_MODES: readonly CrashMode[] = ['lost', 'kept', 'torn', 'reordered'];
const RECOVERABLE: readonly FaultKind[] = [
  'crash',
  'kill',
  'crash-at-change',
  'crash-at-message',
  'power-cut',
  'restart',
  'pause',
  'partition',
  'clog',
  'slow-disk',
  'disk-trouble',
  'clock-jump',
  'move-leader',
];

const STRUCK_MESSAGES = ['request-vote', 'request-vote-response', 'append-entries', 'append-entries-response', 'timeout-now'] as const;

const DUELS = ['cut', 'pause', 'lose', 'split', 'stale'] as const;
type DuelKind = (Fault & { readonly kind: 'duel' })['how'];

export function drawPlan(seed: number, durationMs = 30_000): Plan {
  const plan = withLeases(seededRandom(seed + 0.125 * 2 ** 32), drawWithDuels(seed, durationMs));
  const api = drawApi(seededRandom(seed + 0.75 * 2 ** 32), durationMs);
  return api ? { ...plan, api, scripts: plan.scripts.slice(0, 2) } : plan;
}

/** Two seeds in five have duels, half of them nothing else that heals: logs diverge farthest where nobody disturbs. */
function drawWithDuels(seed: number, durationMs: number): Plan {
  const plan = drawBase(seed, durationMs);
  const random = seededRandom(seed + 2 ** 31);
  if (plan.members < 3 || !random.chance(0.4)) return plan;
  const isAlone = random.chance(0.5);
  const faults = [...plan.faults.filter(({ kind }) => !isAlone || !RECOVERABLE.includes(kind)), ...drawDuels(random, durationMs)];
  faults.sort((a, b) => a.atMs - b.atMs);
  return random.chance(0.4) ? withImpatience(random, { ...plan, faults }) : { ...plan, faults };
}

/** The clocks go to the very bound, and duels try whether leases end in time. */
function withLeases(random: Random, plan: Plan): Plan {
  if (plan.members < 2 || !random.chance(0.25)) return plan;
  const leaseDrift = pick(random, [0.02, 0.1, 0.2]);
  // A lease has least to spare where one leads whose clock is slow, and the clocks of all others are fast.
  const slow = random.chance(0.6) ? random.below(plan.machines.length) : undefined;
  const drawDrift = (index: number): number => {
    const any = pick(random, [-1, 1, 2 * random.float() - 1]);
    return slow === undefined ? any : index === slow ? -1 : 1;
  };
  const machines = plan.machines.map(({ syncMs }, index) => ({ syncMs, clockRate: 1 + leaseDrift * drawDrift(index) }));
  const isAlone = random.chance(0.5);
  const faults = plan.faults.filter(({ kind }) => !isAlone || !RECOVERABLE.includes(kind));
  const duels = plan.members < 3 ? [] : drawDuels(random, plan.durationMs, ['lease']);
  const scripts = random.chance(0.7) ? plan.scripts.map((script) => impatient(random, script)) : plan.scripts;
  return { ...plan, leaseDrift, machines, scripts, faults: [...faults, ...duels].sort((a, b) => a.atMs - b.atMs) };
}

function drawDuels(random: Random, durationMs: number, kinds: readonly DuelKind[] = DUELS): Fault[] {
  const hows = shuffled(random, kinds).slice(0, random.between(1, 3));
  const meanGapMs = pick(random, [2500, 5000]);
  const duels: Fault[] = [];
  for (let atMs = 2000 + meanGapMs * random.float(); atMs < durationMs; atMs += meanGapMs * (0.6 + 0.8 * random.float()))
    duels.push({ kind: 'duel', atMs, how: pick(random, hows), seed: random.uint32() });
  return duels;
}

/** Where clients do not wait, the tail of a leader that was cut off may become longer than a segment, and than what is kept in memory. */
function withImpatience(random: Random, plan: Plan): Plan {
  const scripts = plan.scripts.map((script) => impatient(random, script));
  const small = { segmentBytes: pick(random, [512, 1 << 10, 4 << 10]), recentBytes: pick(random, [256, 1 << 10]) };
  return { ...plan, scripts, sizes: random.chance(0.6) ? { ...plan.sizes, ...small } : plan.sizes };
}

/** Clients that give up soon and stay where they are, so that a leader that was cut off goes on being asked, and its log grows. */
function impatient(random: Random, script: Script): Script {
  return script.map((line) => ({ ...line, timeoutMs: random.between(30, 200), stays: true }));
}

function drawBase(seed: number, durationMs: number): Plan {
  const random = seededRandom(seed);
  const members = pick(random, [1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7]);
  const membership = drawMembership(random, members);
  const size = members + (membership === 'changing' ? random.between(1, 2) : 0);
  const drifts = random.chance(0.3);
  const lost = membership === 'fixed' ? random.below(Math.floor((members - 1) / 2) + 1) : 0;
  const victims = shuffled(random, range(members)).slice(0, lost);
  const syncHigh = pick(random, [0.2, 1, 5, 20]);
  return {
    seed,
    members,
    membership,
    machines: range(size).map(() => ({ clockRate: drifts ? 0.9 + 0.2 * random.float() : 1, syncMs: [syncHigh / 4, syncHigh] })),
    victims,
    sizes: {
      memtableBytes: pick(random, [4 << 10, 16 << 10, 64 << 10, 1 << 20]),
      segmentBytes: pick(random, [4 << 10, 16 << 10, 1 << 20]),
      recentBytes: pick(random, [1 << 10, 16 << 10, 1 << 20]),
      keptEntries: pick(random, [0, 10, 100, 5000]),
    },
    preemption: pick(random, [0, 0, 0.02, 0.2]),
    weather: drawWeather(random),
    durationMs,
    faults: drawFaults(random, { members, size, membership, victims }, durationMs),
    scripts: drawScripts(random, durationMs),
    leaseDrift: undefined,
    api: undefined,
  };
}

function drawMembership(random: Random, members: number): Plan['membership'] {
  const dice = random.float();
  if (dice < 0.15) return 'changing';
  return dice < 0.25 && members >= 3 ? 'rejoin' : 'fixed';
}

function drawWeather(random: Random): Weather {
  const low = pick(random, [0.1, 1, 5]);
  return {
    delayMs: [low, low * pick(random, [1.5, 3, 10])],
    loss: pick(random, [0, 0, 0.001, 0.02, 0.15]),
    duplication: pick(random, [0, 0, 0.02, 0.2]),
    datagram: random.chance(0.25),
  };
}

interface Cluster extends Pick<Plan, 'members' | 'membership' | 'victims'> {
  readonly size: number;
}

function drawFaults(random: Random, cluster: Cluster, durationMs: number): Fault[] {
  const kinds = shuffled(random, RECOVERABLE).slice(0, random.between(0, 5));
  const faults: Fault[] = [];
  for (const kind of kinds) {
    const meanGapMs = pick(random, [1000, 3000, 8000]);
    for (let atMs = meanGapMs * random.float() * 2; atMs < durationMs; atMs += meanGapMs * (0.2 + 1.6 * random.float()))
      faults.push(drawFault(random, kind, atMs, cluster.size));
  }
  for (const machine of cluster.victims) {
    const atMs = random.float() * durationMs;
    if (random.chance(0.4)) faults.push({ kind: 'lose-disk', machine, atMs });
    else faults.push({ kind: 'rot', machine, atMs, what: random.chance(0.5) ? 'flip' : 'misdirect', seed: random.uint32() });
  }
  if (cluster.membership !== 'fixed') faults.push(...drawChanges(random, cluster, durationMs));
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** What operators do to the members: one grows and shrinks the cluster, another one replaces machines that lost their disks. */
function drawChanges(random: Random, { members, size, membership }: Cluster, durationMs: number): Fault[] {
  const changes: Fault[] = [];
  const meanGapMs = pick(random, [2000, 5000]);
  for (let atMs = 2000 + meanGapMs * random.float(); atMs < durationMs; atMs += meanGapMs * (0.5 + random.float())) {
    const machine = random.below(size);
    const dice = random.below(4);
    if (membership === 'rejoin') changes.push({ kind: 'rejoin', atMs, machine, downMs: 200 + 2000 * random.float() });
    else if (dice < 2 && size > members)
      changes.push({ kind: 'add-member', atMs, machine: random.between(members, size - 1), asLearner: random.chance(0.6) });
    else changes.push({ kind: dice === 2 ? 'promote-member' : 'remove-member', atMs, machine });
    // A cluster survives the loss of one disk at a time, if the next is lost only after the first is made good.
    if (membership === 'rejoin') break;
  }
  return changes;
}

function drawFault(random: Random, kind: FaultKind, atMs: number, size: number): Fault {
  const machine = random.chance(0.3) ? LEADER : random.below(size);
  const mode = pick(random, CRASH_MODES);
  const forMs = 200 * Math.exp(random.float() * 4); // 0.2 to 11 s, more often short
  const downMs = 20 * Math.exp(random.float() * 5.5); // 20 ms to 5 s
  switch (kind) {
    case 'crash':
      return { kind, atMs, machine, mode, downMs };
    case 'crash-at-change':
      return { kind, atMs, machine, changes: random.between(1, 40), mode, downMs };
    case 'crash-at-message':
      return { kind, atMs, machine, message: pick(random, STRUCK_MESSAGES), leaves: random.chance(0.5), mode, downMs };
    case 'power-cut':
      return { kind, atMs, mode, downMs };
    case 'kill':
    case 'restart':
      return { kind, atMs, machine, downMs };
    case 'pause':
      return { kind, atMs, machine, forMs };
    case 'partition':
      return drawPartition(random, atMs, size, forMs);
    case 'clog':
      return { kind, atMs, from: machine, to: random.below(size), forMs };
    case 'slow-disk':
      return { kind, atMs, machine, callMs: pick(random, [5, 50, 500, 3000]), forMs };
    case 'disk-trouble':
      return drawTrouble(random, atMs, machine, forMs);
    case 'clock-jump':
      return { kind, atMs, machine, byMs: (random.float() - 0.5) * 7_200_000 };
    default:
      return { kind: 'move-leader', atMs, to: random.below(size) };
  }
}

/** A group from the rest, one machine from one other (partial), or a random part of the links; in one direction or both. */
function drawPartition(random: Random, atMs: number, size: number, forMs: number): Fault {
  const order = shuffled(random, range(size));
  const both = random.chance(0.6);
  if (random.chance(0.4))
    return { kind: 'partition', atMs, from: [LEADER], to: random.chance(0.5) ? order : order.slice(0, 1), both, forMs };
  const cut = random.between(1, Math.max(1, size - 1));
  const [from, rest] = [order.slice(0, cut), order.slice(cut)];
  const to = random.chance(0.5) ? rest : rest.slice(0, 1);
  return { kind: 'partition', atMs, from, to, both, forMs };
}

function drawTrouble(random: Random, atMs: number, machine: number, forMs: number): Fault {
  const chance = pick(random, [0.01, 0.1, 1]);
  const calls: readonly FsOperationKind[] = pick(random, [
    ['sync'],
    ['write'],
    ['read', 'readFile'],
    ['sync', 'write', 'open', 'rename', 'syncDirectory'],
  ]);
  const isFull = calls.includes('write') && random.chance(0.6);
  return { kind: 'disk-trouble', atMs, machine, code: isFull ? 'no-space' : 'io', calls, chance, forMs };
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
