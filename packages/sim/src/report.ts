// What a person reads: a plan, a timeline, the figures of a campaign.
import type { SeedReport, Summary } from './host/campaign.ts';
import { describeFault } from './faults.ts';
import type { PlantedResult } from './host/planting.ts';
import type { Plan } from './plan.ts';

export function describePlan({ seed, machines, weather, faults, scripts, victims, leaseDrift, api }: Plan): string {
  const operations = scripts.reduce((sum, script) => sum + script.length, 0);
  const clients = scripts.filter((script) => script.length > 0).length;
  const percent = (chance: number): string => `${(100 * chance).toFixed(1)} %`;
  const lines = [
    `seed ${seed}: ${machines.length} machines, ${clients} clients with ${operations} operations, ${faults.length} faults`,
    `network: ${weather.delayMs.map((ms) => ms.toFixed(1)).join('–')} ms, loses ${percent(weather.loss)}, repeats ${percent(weather.duplication)}${weather.datagram ? ', reorders' : ''}`,
    ...(api
      ? [
          `of the whole API: ${count(api.scripts)} calls by ${api.scripts.length} clients; ${api.watches.length} clients watch, and do ${count(api.watches)} things`,
        ]
      : []),
    ...(leaseDrift === undefined ? [] : [`reads are answered under leases; no clock drifts by more than ${percent(leaseDrift)}`]),
    ...(victims.length > 0 ? [`may be lost for good: ${victims.map((index) => `n${index + 1}`).join(' ')}`] : []),
  ];
  return lines.join('\n');
}

const count = (scripts: readonly (readonly object[])[]): number => scripts.reduce((sum, script) => sum + script.length, 0);

export function describeSchedule({ faults }: Plan): string {
  return faults.map((fault) => `${(fault.atMs / 1000).toFixed(3).padStart(9)}  ${describeFault(fault)}`).join('\n');
}

/** Without the messages between members a timeline is a story; with them, it is all there is. */
export function timeline(lines: readonly string[], withMessages: boolean): string {
  return (withMessages ? lines : lines.filter((line) => !/^ *[\d.]+ +n\d +→/.test(line))).join('\n');
}

export function progress(summary: Summary, seeds: number): string {
  const { seeds: done, simulatedMs, wallMs, failures } = summary;
  const hours = (simulatedMs / 3_600_000).toFixed(1);
  const left = ((wallMs / Math.max(1, done)) * (seeds - done)) / 1000;
  return `${done}/${seeds} seeds, ${hours} simulated hours, ${(simulatedMs / wallMs).toFixed(0)} times real time, ${failures.length} failed, ${left.toFixed(0)} s to go`;
}

export function describeFailure({ seed, violation }: SeedReport): string {
  return `seed ${seed} FAILED  ${violation ?? ''}\n  replay: npm run sim -- --seed ${seed}`;
}

export function describeSummary(summary: Summary): string {
  const number = (n: number): string => Math.round(n).toLocaleString('en-US');
  const rows: [string, string][] = [
    ['seeds', number(summary.seeds)],
    ['simulated hours', (summary.simulatedMs / 3_600_000).toFixed(1)],
    ['times real time, all threads', number(summary.simulatedMs / summary.wallMs)],
    ['operations answered', number(summary.answered)],
    ['… refused for certain', number(summary.refused)],
    ['… with an unknown outcome', number(summary.unknown)],
    ['calls of the whole API judged', number(summary.apiCalls)],
    ['events of watchers judged', number(summary.watchEvents)],
    ['entries committed', number(summary.committed)],
    ['terms with a leader', number(summary.terms)],
    ['messages sent', number(summary.messages)],
    ['… lost', number(summary.lostMessages)],
    ['members that stopped themselves', number(summary.failStops)],
    ['registers left undecided', number(summary.undecided)],
    ...Object.entries(summary.faults)
      .sort(([, a], [, b]) => b - a)
      .map(([kind, count]): [string, string] => [`fault: ${kind}`, number(count)]),
    ['seeds that failed', number(summary.failures.length)],
  ];
  return rows.map(([what, value]) => `${what.padEnd(34)}${value.padStart(14)}`).join('\n');
}

export function describePlanted({ bug, seeds, found }: PlantedResult): string {
  return `${seeds === undefined ? 'NOT FOUND' : `${seeds} seeds`.padEnd(9)}  ${bug.name}: ${found.slice(0, 160)}`;
}

/** For the docs. */
export function plantedTable(results: readonly PlantedResult[]): string {
  const rows = results.map(({ bug, seeds, found }) => `| ${bug.name} | ${seeds ?? 'not found'} | ${found.split(':')[0]} |`);
  const counts = results.map(({ seeds }) => seeds ?? Infinity).sort((a, b) => a - b);
  const median = counts[Math.floor(counts.length / 2)] ?? 0;
  return ['| planted bug | seeds | seen by |', '| --- | ---: | --- |', ...rows, '', `${results.length} bugs, median ${median} seeds`].join(
    '\n',
  );
}
