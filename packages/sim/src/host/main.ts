// `npm run sim`: replays a seed, or runs a campaign of many.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { plantedBugs } from './planted-bugs.ts';
import { type PlantedResult, isPlantable, plantAll } from './planting.ts';
import { minimise } from '../minimise.ts';
import { drawPlan } from '../plan.ts';
import {
  describeFailure,
  describePlan,
  describePlanted,
  describeSchedule,
  describeSummary,
  plantedTable,
  progress,
  timeline,
} from '../report.ts';
import { runPlan } from '../run.ts';

const HELP = `Runs whole clusters of the real server on a simulated world, with faults drawn from a seed.

  npm run sim -- --seed N            replay one seed: its plan, its timeline, its verdict; a failure is made smaller first
  npm run sim -- --seeds N           a campaign of N seeds, on all cores
  npm run sim -- --planted N         plants known bugs in a copy of the code, one at a time, and counts the seeds (at most N) until each is found

options
  --from N        the first seed of a campaign (default 1)
  --seconds N     simulated seconds with faults (default 30)
  --bug TEXT      plants only bugs whose name has TEXT in it
  --workers N     threads of a campaign (default: one for each core)
  --stop          end a campaign at its first failure
  --messages      show the messages between members in the timeline
  --whole         do not make a failure smaller
  --quiet         no timeline, only plan and verdict

The exit code is 0 when every seed passed, 1 when one failed, 2 for a wrong argument.`;

interface Arguments {
  readonly seed: number | undefined;
  readonly seeds: number | undefined;
  readonly planted: number | undefined;
  readonly bug: string;
  readonly from: number;
  readonly seconds: number;
  readonly workers: number;
  readonly stop: boolean;
  readonly messages: boolean;
  readonly whole: boolean;
  readonly quiet: boolean;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function replay(seed: number, { seconds, messages, whole, quiet }: Arguments): Promise<boolean> {
  let plan = drawPlan(seed, seconds * 1000);
  say(describePlan(plan));
  let report = await runPlan(plan, { keepsLines: true });
  const { violation } = report;
  if (violation && !whole) {
    const shown = process.stderr.isTTY;
    const onRun = (runs: number): void => void (shown && process.stderr.write(`\rmaking it smaller: ${runs} runs`));
    const { plan: smaller, runs } = await minimise(plan, violation.judge, { onRun });
    if (shown) process.stderr.write('\r\x1b[K');
    plan = smaller;
    report = await runPlan(plan, { keepsLines: true });
    say(`\nfails still, after ${runs} tries to make it smaller, with\n${describePlan(plan)}\n\nschedule\n${describeSchedule(plan)}`);
  }
  if (!quiet) say(`\ntimeline\n${timeline(report.lines, messages)}`);
  say(`\n${report.violation ? `FAILED  ${report.violation.message}` : 'passed'}  (${report.events} events, hash ${report.hash})`);
  return report.violation === undefined;
}

async function campaign(seeds: number, { from, seconds, workers, stop }: Arguments): Promise<boolean> {
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const isLive = process.stderr.isTTY;
  const every = isLive ? 1 : Math.max(1, Math.floor(seeds / 20));
  const summary = await runCampaign({
    from,
    seeds,
    workers,
    durationMs: seconds * 1000,
    stopsAtFailure: stop,
    signal: stopping.signal,
    onReport(report, sums) {
      if (report.violation !== undefined) process.stderr.write(`${isLive ? '\r\x1b[K' : ''}${describeFailure(report)}\n`);
      if (sums.seeds % every === 0) process.stderr.write(`${isLive ? '\r\x1b[K' : ''}${progress(sums, seeds)}${isLive ? '' : '\n'}`);
    },
  });
  if (isLive) process.stderr.write('\r\x1b[K');
  say(describeSummary(summary));
  return summary.failures.length === 0;
}

async function plant(most: number, { from, seconds, workers, bug }: Arguments): Promise<boolean> {
  const bugs = plantedBugs.filter(({ name }) => name.includes(bug));
  const unplantable = bugs.filter((each) => !isPlantable(each));
  for (const { name, file } of unplantable) process.stderr.write(`cannot plant: ${name} (its line is not in ${file})\n`);
  const onResult = (result: PlantedResult): void => void process.stderr.write(`${describePlanted(result)}\n`);
  const plantable = bugs.filter((each) => !unplantable.includes(each));
  const results = await plantAll(plantable, { from, most, durationMs: seconds * 1000, workers, onResult });
  say(plantedTable(results));
  return results.every(({ seeds }) => seeds !== undefined) && unplantable.length === 0;
}

function parse(): Arguments | 'help' {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      planted: { type: 'string' },
      bug: { type: 'string', default: '' },
      from: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '30' },
      workers: { type: 'string', default: `${availableParallelism()}` },
      stop: { type: 'boolean', default: false },
      messages: { type: 'boolean', default: false },
      whole: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || [values.seed, values.seeds, values.planted].every((each) => each === undefined)) return 'help';
  const natural = (name: string, text: string): number => {
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new TypeError(`--${name} is a whole number, not ${JSON.stringify(text)}`);
  };
  const { seed, seeds, planted, from, seconds, workers, ...flags } = values;
  return {
    ...flags,
    seed: seed === undefined ? undefined : natural('seed', seed),
    seeds: seeds === undefined ? undefined : natural('seeds', seeds),
    planted: planted === undefined ? undefined : natural('planted', planted),
    from: natural('from', from),
    seconds: Math.max(1, natural('seconds', seconds)),
    workers: Math.max(1, natural('workers', workers)),
  };
}

async function main(): Promise<number> {
  let options: Arguments | 'help';
  try {
    options = parse();
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}; --help says more\n`);
    return 2;
  }
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  if (options.planted !== undefined) return (await plant(options.planted, options)) ? 0 : 1;
  const passed = options.seed === undefined ? await campaign(options.seeds ?? 0, options) : await replay(options.seed, options);
  return passed ? 0 : 1;
}

process.exitCode = await main();
