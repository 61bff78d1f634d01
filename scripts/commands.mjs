// What each command does once the repository is installed and built.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { checkHouse } from './house.mjs';
import { ensureInstalled } from './install.mjs';
import { Failure, passOn, run } from './processes.mjs';
import { chooseNode } from './runtime.mjs';
import { withSetupLock } from './setup-lock.mjs';
import { runTests } from './test.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @type {Record<string, { says: string, do: (context: { root: string, node: string }, args: string[]) => Promise<void> }>} */
const commands = {
  start: {
    says: 'one node on 127.0.0.1:2379; arguments as for `distrokv server`',
    do: (context, args) => distrokv(context, ['server', ...args]),
  },
  cluster: { says: 'three nodes on this machine', do: (context, args) => distrokv(context, ['cluster', ...args]) },
  test: { says: 'every test and house rule; `test NAME…`: only the test files whose path has NAME in it', do: runTests },
  build: { says: 'install and compile what changed', do: async () => {} },
  lint: { says: 'format, lint rules and walls', do: checkHouse },
  format: {
    says: 'write all files in the common format',
    do: (context) => tool(context, 'node_modules/prettier/bin/prettier.cjs', ['--write', '--log-level=warn', '.']),
  },
  sim: {
    says: 'the simulator: `sim -- --seed N` replays, `sim -- --seeds N` is a campaign',
    do: (context, args) => tool(context, 'packages/sim/dist/host/main.js', args),
  },
  chaos: {
    says: 'real nodes on this machine, killed and cut off under load, before the judges of the simulator',
    do: (context, args) => tool(context, 'packages/sim/dist/host/chaos/main.js', args),
  },
  generate: {
    says: 'write the code that comes from .proto files',
    do: (context, args) => tool(context, 'packages/proto/generator/main.mjs', args),
  },
};

/** Runs the command that `args` name. */
export async function main([name, ...args]) {
  const command = name === undefined ? undefined : commands[name];
  if (command === undefined) {
    const lines = Object.entries(commands).map(([each, { says }]) => `  ${each.padEnd(10)}${says}`);
    throw new Failure(`${name === undefined ? 'say what to do' : `there is no command "${name}"`}:\n${lines.join('\n')}`);
  }
  await withSetupLock(root, async () => {
    await ensureInstalled(root);
    await build(root);
  });
  await command.do({ root, node: chooseNode(root) }, args);
}

/** The program itself, as a child that stops when this process is gone, however that ends. */
async function distrokv({ root, node }, args) {
  passOn(await run(node, [`${root}/packages/distrokv/bin/distrokv.mjs`, ...args], { stopsWithParent: true }));
}

async function tool({ root, node }, script, args) {
  passOn(await run(node, [`${root}/${script}`, ...args], { cwd: root }));
}
