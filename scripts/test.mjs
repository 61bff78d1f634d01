// `npm test`: the rules of the house, the quick packages on the machine's own Node (users have that one, not the pinned one), then every
// test on the pinned Node. The last lines are node's own summary and the time it all took.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { checkHouse } from './house.mjs';
import { Failure, run, say } from './processes.mjs';
import { systemNode } from './runtime.mjs';
import { packagesOf, sourcesOf } from './walls.mjs';

/** Packages whose tests take a moment only. */
const quick = ['base', 'env', 'raft', 'proto', 'http2', 'mvcc', 'client'];
const TIMEOUT_MS = 300_000;

export async function runTests({ root, node }, args) {
  const started = performance.now();
  const options = args.filter((arg) => arg.startsWith('-'));
  const names = args.filter((arg) => !arg.startsWith('-'));
  const files = testFiles(root).filter((file) => names.length === 0 || names.some((name) => file.includes(name)));
  if (files.length === 0) throw new Failure(`no test file has ${names.join(' or ')} in its path`);
  const failed = [];
  if (names.length === 0) {
    await checkHouse({ root, node }).catch((error) => failed.push(error.message));
    if (!(await passesOnSystemNode(root, node))) failed.push("tests on the machine's own Node");
  }
  const { code } = await run(node, testArguments(['--test-reporter=spec', ...options], files), { cwd: root });
  if (code !== 0) failed.push('tests');
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  if (failed.length > 0) throw new Failure(`failed after ${seconds} s: ${failed.join('; ')}`);
  say(`${files.length} test files passed in ${seconds} s`);
}

/** The compiled tests, found by their sources: what was deleted or renamed does not run from an old dist/. */
function testFiles(root) {
  const compiled = (folder, dist) => sourcesOf(join(root, folder)).map((file) => join(dist, file));
  return [
    ...packagesOf(root).flatMap(({ folder }) => compiled(`packages/${folder}/src`, `packages/${folder}/dist`)),
    ...compiled('tests', 'tests/dist'),
  ]
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => file.replace(/\.ts$/, '.js'))
    .sort();
}

function testArguments(options, files) {
  const concurrency = Math.max(2, availableParallelism());
  return ['--test', `--test-concurrency=${concurrency}`, `--test-timeout=${TIMEOUT_MS}`, ...options, ...files];
}

async function passesOnSystemNode(root, node) {
  const system = systemNode(node);
  if (system === undefined) {
    say(`no second Node ≥ 20.19 on this machine: its tests are skipped`);
    return true;
  }
  const files = testFiles(root).filter((file) => quick.includes(file.split(/[/\\]/)[1]));
  const { code, text } = await run(system.path, testArguments(['--test-reporter=spec'], files), { cwd: root, capture: true });
  if (code !== 0) process.stdout.write(text);
  say(`${quick.join(', ')} on this machine's own Node ${system.version}: ${code === 0 ? 'passed' : 'FAILED'}`);
  return code === 0;
}
