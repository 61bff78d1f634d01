// The rules of the house: one format, the lint rules of .oxlintrc.json, the walls between packages.
import { Failure, run, say } from './processes.mjs';
import { brokenWalls } from './walls.mjs';

export async function checkHouse({ root, node }) {
  const broken = [];
  const check = async (what, advice, script, args) => {
    const { code } = await run(node, [`${root}/node_modules/${script}`, ...args], { cwd: root });
    if (code !== 0) broken.push(`${what} (${advice})`);
  };
  const prettierArgs = ['--check', '--log-level=warn', '--cache', '--cache-location=.cache/prettier', '.'];
  await check('format', '`npm run format` repairs it', 'prettier/bin/prettier.cjs', prettierArgs);
  await check('lint', 'see above', 'oxlint/bin/oxlint', ['--report-unused-disable-directives-severity=error']);
  const walls = brokenWalls(root);
  for (const line of walls) process.stdout.write(`${line}\n`);
  if (walls.length > 0) broken.push('walls (see above)');
  if (broken.length > 0) throw new Failure(`house rules broken: ${broken.join(', ')}`);
  say('house rules: format, lint and walls are in order');
}
