// The command's options, checked.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { groups } from './groups.mjs';
import { stores } from './stores/index.mjs';

/** `coldget` needs a store larger than memory and the right to drop the page cache, so it runs only when asked for. */
const ON_REQUEST = new Set(['coldfill', 'coldget']);
const WORKLOADS = Object.values(groups).flatMap(({ fill, workloads }) => [...Object.keys(fill), ...Object.keys(workloads)]);

export const USAGE = `usage: node engine.mjs [OPTIONS]

  --keys N             keys in the store (default 1_000_000)
  --hot N              point reads, seeks and reads while writing are of the first N keys (default: of all)
  --value-size N       bytes of a value (default 100)
  --memory SIZE        for block cache and write buffers of each engine (default 256MiB)
  --rounds N           rounds, each with every engine (default 3)
  --seconds N          measured time of a workload that is no fill (default 3)
  --only A,B           workloads (default: all but coldget): ${WORKLOADS.filter((name) => name !== 'coldfill').join(', ')}
  --engines A,B        ${Object.keys(stores).join(', ')} (default: all)
  --keep DIRECTORY     the stores of coldget stay there, and are not filled again by the next run with the same keys and values
  --dir DIRECTORY      where the stores go (default: the system's directory for temporary files)
  --json FILE          every figure of every round
  --svg FILE           a chart of the medians
  --profile DIRECTORY  CPU profiles, one for each engine and workload of the last round`;

/** Throws an Error with a line for the user. */
export function parseOptions(args) {
  const string = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
  const { values } = parseArgs({
    args,
    options: {
      keys: string('1_000_000'),
      hot: string(),
      'value-size': string('100'),
      memory: string('256MiB'),
      rounds: string('3'),
      seconds: string('3'),
      only: string(WORKLOADS.filter((name) => !ON_REQUEST.has(name)).join(',')),
      engines: string(Object.keys(stores).join(',')),
      dir: string(os.tmpdir()),
      keep: string(),
      json: string(),
      svg: string(),
      profile: string(),
      help: { type: 'boolean', default: false },
    },
  });
  const keys = number('--keys', values.keys, 1000);
  const hotKeys = values.hot === undefined ? keys : number('--hot', values.hot, 1000);
  if (hotKeys > keys) throw new Error(`--hot is at most --keys, ${keys}, not ${hotKeys}`);
  return {
    keys,
    hotKeys,
    valueBytes: number('--value-size', values['value-size'], 1),
    memoryBytes: bytes(values.memory),
    rounds: number('--rounds', values.rounds, 1),
    seconds: number('--seconds', values.seconds, 0.01),
    only: names('--only', values.only, WORKLOADS),
    engines: names('--engines', values.engines, Object.keys(stores)),
    directory: values.dir,
    keepDirectory: values.keep,
    json: values.json,
    svg: values.svg,
    profileDirectory: values.profile,
    help: values.help,
  };
}

function number(option, text, least) {
  const n = Number(text.replaceAll('_', ''));
  if (!(n >= least)) throw new Error(`${option} is a number from ${least} on, not ${text}`);
  return n;
}

function bytes(text) {
  const match = /^(\d+)(KiB|MiB|GiB)$/.exec(text);
  if (match === null) throw new Error(`--memory is a size such as 256MiB, not ${text}`);
  const size = Number(match[1]) * { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[match[2]];
  if (size < 16 << 20) throw new Error('--memory is at least 16MiB: less would be write buffers alone');
  return size;
}

function names(option, text, known) {
  const chosen = text.split(',');
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${option} knows ${known.join(', ')}, not ${unknown}`);
  return chosen;
}
