// A lock between processes, without the flock(2) that Node does not offer. The lock is a directory; whoever wants it puts a
// claim into it, a file whose name says who claims, and only then looks at the claims of others:
//
//   LOCK/1234.88121.0f3c….4026531836.5d2e9a    pid, start of the process, boot, pid namespace, token of this claim
//
// Both write before they read, so of two that come at the same time at least one sees the other: never do both go on. Both may
// step back; then each tries again after a random moment. The claim of a process that no longer runs is removed by whoever
// sees it, which can hurt nobody, since no other claim ever has that name. (To take over one shared file instead, one would
// have to remove it and create one's own in two steps, between which a second taker removes the first one's.)
//
// A process in another container cannot be looked up, so each holder touches its claim now and then, and the claim of
// such a process counts as long as it is fresh. Between machines nothing is known: a data directory belongs to one machine.
import { mkdir, open, readdir, stat, unlink, utimes } from 'node:fs/promises';
import { randomBytes, randomInt } from 'node:crypto';
import type { FileLock } from '../env.ts';
import { FsError } from '../errors.ts';
import { fromNode, isErrno, translated } from './errors.ts';
import { commandOf, ownIdentity, type ProcessIdentity, runs } from './process-identity.ts';
import { nodeTimers } from './time.ts';

const ATTEMPTS = 4;
const RETRY_MS = { least: 5, most: 60 };
const TOUCH_EVERY_MS = 5_000;
/** A claim from another container that was not touched for so long is that of a dead process. */
const FRESH_MS = 20_000;

/** Claims of this process, by token: where the system does not say when a process started, they tell ours from a namesake's. */
const ownTokens = new Set<string>();

interface Claim extends ProcessIdentity {
  readonly file: string;
  readonly token: string;
}

/** See FileSystem.lock. */
export async function takeLock(path: string): Promise<FileLock> {
  const self = await ownIdentity();
  await translated(makeLockDirectory(path), 'lock', path);
  for (let attempt = 1; ; attempt++) {
    const mine = claim(path, self);
    ownTokens.add(mine.token);
    const lock = await announce(mine);
    const rival = await findRival(path, mine, self).catch(async (thrown: unknown) => {
      await lock.release();
      throw thrown;
    });
    if (rival === undefined) return lock;
    await lock.release();
    if (attempt === ATTEMPTS) throw await lockedBy(path, rival, self);
    await nodeTimers.sleep(randomInt(RETRY_MS.least, RETRY_MS.most));
  }
}

function claim(path: string, self: ProcessIdentity): Claim {
  const token = randomBytes(8).toString('hex');
  return { ...self, token, file: `${path}/${self.pid}.${self.start}.${self.boot}.${self.namespace}.${token}` };
}

async function makeLockDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (thrown) {
    if (!isErrno(thrown, 'EEXIST')) throw thrown;
  }
}

/** Creates the claim and keeps it fresh until it is released. */
async function announce(mine: Claim): Promise<FileLock> {
  await translated(
    open(mine.file, 'wx', 0o600).then((handle) => handle.close()),
    'lock',
    mine.file,
  );
  const touch = (): void => {
    const now = new Date();
    utimes(mine.file, now, now).catch(() => {}); // A help for other containers, not worth stopping a node for.
  };
  const timer = setInterval(touch, TOUCH_EVERY_MS).unref();
  return {
    async release() {
      clearInterval(timer);
      ownTokens.delete(mine.token);
      await removeClaim(mine);
    },
  };
}

/** Removes the claims of the dead; returns one of a living process other than `mine`, if there is any. */
async function findRival(path: string, mine: Claim, self: ProcessIdentity): Promise<Claim | undefined> {
  for (const name of await translated(readdir(path), 'lock', path)) {
    const other = parseClaim(path, name);
    if (other === undefined || other.token === mine.token) continue;
    if (await isAlive(other, self)) return other;
    await removeClaim(other);
  }
  return undefined;
}

async function isAlive(other: Claim, self: ProcessIdentity): Promise<boolean> {
  if (other.boot !== self.boot) return false;
  if (other.namespace !== self.namespace) return isFresh(other);
  if (other.pid === self.pid && other.start === '') return ownTokens.has(other.token);
  return runs(other);
}

async function isFresh(other: Claim): Promise<boolean> {
  const stats = await stat(other.file).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs < FRESH_MS;
}

/** A file that no claim made is none of our business. */
function parseClaim(path: string, name: string): Claim | undefined {
  const match = /^(\d+)\.(\d*)\.([\w-]*)\.(\d*)\.([0-9a-f]+)$/.exec(name);
  if (match === null) return undefined;
  const [, pid, start, boot, namespace, token] = match as unknown as readonly [string, string, string, string, string, string];
  return { file: `${path}/${name}`, pid: Number(pid), start, boot, namespace, token };
}

async function removeClaim(dead: Claim): Promise<void> {
  try {
    await unlink(dead.file);
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT')) throw fromNode(thrown, 'unlock', dead.file);
  }
}

async function lockedBy(path: string, rival: Claim, self: ProcessIdentity): Promise<FsError> {
  if (rival.namespace !== self.namespace) {
    const advice = `wait ${FRESH_MS / 1000} s if that has just stopped`;
    return new FsError('locked', path, `${path} is locked by process ${rival.pid} of another container; ${advice}`);
  }
  const command = await commandOf(rival.pid);
  return new FsError('locked', path, `${path} is locked by process ${rival.pid}${command === '' ? '' : ` (${command})`}`);
}
