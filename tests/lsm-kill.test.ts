// The storage engine under `kill -9`: a process writes, says what was acknowledged, and is killed at a random moment, a hundred times over.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@distrokv/base';
import { verifyStore } from '@distrokv/lsm';
import { createNodeEnv } from '@distrokv/env';
import { openWritten, unitOf } from './support/lsm-writer.ts';

const ROUNDS = 100;
const MAX_LIFE_MS = 60;

test('kill -9 of a writing process, a hundred times over', async (t) => {
  const seed = Number(process.env['DISTROKV_TEST_SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed} (set DISTROKV_TEST_SEED to repeat)`);
  const random = seededRandom(seed);
  const directory = mkdtempSync(join(tmpdir(), 'distrokv-lsm-kill-'));
  t.after(() => rmSync(directory, { recursive: true }));
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const writer = spawn(process.execPath, [fileURLToPath(new URL('./support/lsm-writer.js', import.meta.url)), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(writer, 'exit');
    const lines = createInterface({ input: writer.stdout });
    const closed = once(lines, 'close');
    lines.on('line', (line) => (acknowledged = Math.max(acknowledged, Number(line))));
    // It lives from its first acknowledgement on.
    await once(lines, 'line');
    await sleep(random.below(MAX_LIFE_MS));
    writer.kill('SIGKILL');
    const [, signal] = (await exited) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL', 'the writer writes until it is killed');
    await closed;
  }
  const { faults } = await verifyStore(createNodeEnv(), directory);
  assert.deepEqual(faults, []);
  const engine = await openWritten(directory);
  const written = unitOf(engine);
  assert.ok(written >= acknowledged, `unit ${written} is there, ${acknowledged} was acknowledged`);
  t.diagnostic(`${acknowledged} units acknowledged, ${written} found`);
  await engine.close();
});
