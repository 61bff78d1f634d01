import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';

test('durations as Go writes them', () => {
  assert.deepEqual(
    ['5s', '300ms', '1m30s', '1.5s', '.5s', '1h', '10us', '999999h'].map((text) => parseDuration(text, 'x')),
    [5000, 300, 90_000, 1500, 500, 3_600_000, 1, 2 ** 31 - 1],
  );
});

test('anything else is refused by name', () => {
  for (const bad of ['', '5', '5x', 's', '-1s', '0s', '1s ', '1s2', 'x1s'])
    assert.throws(() => parseDuration(bad, '--dial-timeout'), {
      code: 'usage',
      message: `--dial-timeout: ${JSON.stringify(bad)} is not a duration such as 5s, 300ms or 1m30s`,
    });
});
