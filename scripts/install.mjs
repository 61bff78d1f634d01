// Installs the dependencies when what is in node_modules is not what package-lock.json says. npm keeps a record of what it installed
// (node_modules/.package-lock.json), so an install by hand counts, and nothing is asked of the network when all is there.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mustSucceed, run, say } from './processes.mjs';
import { isRuntimePackage, pinnedNode } from './runtime.mjs';

/** Settings of the caller that would leave out what a build needs, or put it elsewhere. Both spellings of npm are covered. */
const scrubbed =
  /^(node_env|npm_config_(omit|include|only|production|dev|optional|dry_run|global|location|prefix|local_prefix|workspaces?|package_lock|package_lock_only|include_workspace_root))$/i;

export async function ensureInstalled(root) {
  const reason = whyInstall(root);
  if (reason === undefined) return;
  say(`installing dependencies: ${reason}`);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !scrubbed.test(name)));
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const npm = npmCommand();
  mustSucceed(await run(npm.command, [...npm.args, ...args], { cwd: root, env, shell: npm.shell }), '`npm ci`');
  // npm puts the pinned Node on the PATH of its scripts. Where that one does not run (another C library), no script would.
  if (pinnedNode(root) === undefined) rmSync(`${root}/node_modules/.bin/node`, { force: true });
}

/** The npm that started us, on the Node that it runs on; else the one on the PATH. */
function npmCommand() {
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  if (script?.endsWith('npm-cli.js') && existsSync(script)) return { command: node ?? process.execPath, args: [script], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

/** What is missing or different, in words; undefined if nothing is. */
function whyInstall(root) {
  const record = `${root}/node_modules/.package-lock.json`;
  if (!existsSync(record)) return 'there is no complete install yet';
  const wanted = packagesOf(`${root}/package-lock.json`);
  const found = packagesOf(record);
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const installed = found[path];
    if (installed === undefined || !existsSync(`${root}/${path}`)) {
      if (entry.optional && (!isForThisMachine(entry) || isRuntimePackage(name))) continue;
      return `${name} is missing`;
    }
    if (installed.version !== entry.version || installed.integrity !== entry.integrity) return `${name} has changed`;
  }
  return undefined;
}

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

/** Packages for one C library only are npm's choice: which one this machine has is not asked here. */
function isForThisMachine({ os, cpu, libc }) {
  return libc === undefined && allows(os, process.platform) && allows(cpu, process.arch);
}

/** npm's lists: some names, or all but those with a `!`; a single one may stand without a list. */
function allows(rule, own) {
  const names = rule === undefined ? [] : [rule].flat();
  const included = names.filter((name) => !name.startsWith('!'));
  return !names.includes(`!${own}`) && (included.length === 0 || included.includes(own));
}
