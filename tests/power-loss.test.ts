// The storage engine on a disk that really loses power: a process writes into a store on ext4, the file system is stopped at a random moment, and
// mounted again. What was acknowledged is there, and the store is sound. Skipped where the host cannot do that (support/ext4.ts).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import { verifyStore } from '@distrokv/lsm';
import { Ext4 } from './support/ext4.ts';
import { openWritten, unitOf } from './support/lsm-writer.ts';

const ROUNDS = 12 * Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
const MAX_LIFE_MS = 150;
const BYTES = 96 << 20;

/**
 * Lets a process write until the power is lost; returns the last unit that it acknowledged before. What comes during the ioctl does not count: a
 * process that does nothing but append and fdatasync is told of success there for what is lost, about once in fifteen times, which no power failure can do.
 */
async function writeUntilPowerIsLost(disk: Ext4, directory: string, random: Random): Promise<number> {
  const writer = spawn(process.execPath, [fileURLToPath(new URL('./support/lsm-writer.js', import.meta.url)), directory], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(writer, 'exit');
  const lines = createInterface({ input: writer.stdout });
  const closed = once(lines, 'close');
  let acknowledged = 0;
  lines.on('line', (line) => (acknowledged = Math.max(acknowledged, Number(line))));
  await Promise.race([once(lines, 'line'), exited]);
  assert.equal(writer.exitCode, null, 'the writer writes until the power is lost');
  await sleep(random.below(MAX_LIFE_MS));
  const before = acknowledged;
  disk.losePower();
  // It may have noticed, and ended.
  writer.kill('SIGKILL');
  await exited;
  await closed;
  return before;
}

test('the power is lost again and again, and nothing that was acknowledged', async (t: TestContext) => {
  const disk = Ext4.create(BYTES);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  t.after(() => disk.remove());
  const seed = Number(process.env['DISTROKV_TEST_SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed} (set DISTROKV_TEST_SEED to repeat)`);
  const random = seededRandom(seed);
  const directory = join(disk.directory, 'db');
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged = Math.max(acknowledged, await writeUntilPowerIsLost(disk, directory, random));
    disk.unmount();
    disk.mount();
    const { faults } = await verifyStore(createNodeEnv(), directory);
    assert.deepEqual(faults, [], `round ${round}`);
    const engine = await openWritten(directory);
    const written = unitOf(engine);
    await engine.close();
    assert.ok(written >= acknowledged, `round ${round}: unit ${written} is there, ${acknowledged} was acknowledged`);
    acknowledged = written;
  }
  t.diagnostic(`${ROUNDS} times; ${acknowledged} units`);
});
