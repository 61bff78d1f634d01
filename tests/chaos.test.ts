// A short day of chaos on three real nodes; `npm run chaos` has longer ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChaos } from '@distrokv/sim';

test('kill -9, SIGSTOP, cut and slow connections: what clients were told stays true', async (t) => {
  const report = await runChaos({ nodes: 3, seconds: 10, seed: 7, onEvent: (text) => t.diagnostic(text) });
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.answered > 0);
});
