// The pinned Node: an optional dependency that is the binary for one platform, without an install script (docs/decisions/0002).
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { say } from './processes.mjs';

const platforms = { 'linux-x64': 'linux-x64', 'linux-arm64': 'linux-arm64', 'win32-x64': 'win-x64' };

export function isRuntimePackage(name) {
  return /^node-(linux|win|darwin)-/.test(name);
}

/** The pinned Node's path if it is installed and runs here. */
export function pinnedNode(root) {
  const platform = platforms[`${process.platform}-${process.arch}`];
  const path = `${root}/node_modules/node-${platform}/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
  if (!existsSync(path)) return undefined;
  if (realpathSync(path) === realpathSync(process.execPath)) return path;
  const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 && stdout.startsWith('v') ? path : undefined;
}

/** The Node to run everything on. */
export function chooseNode(root) {
  const pinned = pinnedNode(root);
  if (pinned !== undefined) return pinned;
  const wanted = Object.values(JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).optionalDependencies)[0];
  say(
    `running on Node ${process.versions.node}: the pinned ${wanted}, on which DistroKV is up to 1.8 times as fast, is not there for ${process.platform}-${process.arch}`,
  );
  return process.execPath;
}

/** The machine's own Node if it is another one than `node`, and recent enough for the packages. */
export function systemNode(node) {
  const candidates = [
    process.env.npm_node_execpath,
    process.execPath,
    ...(process.env.PATH ?? '').split(':').map((directory) => `${directory}/node`),
  ];
  for (const path of candidates) {
    if (!path || path.includes('node_modules') || !existsSync(path) || realpathSync(path) === realpathSync(node)) continue;
    const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const [major, minor] = (stdout ?? '').slice(1).split('.').map(Number);
    if (status === 0 && (major > 20 || (major === 20 && minor >= 19))) return { path, version: stdout.trim() };
  }
  return undefined;
}
