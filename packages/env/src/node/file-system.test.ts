// What only the real file system does.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { FsError } from '../errors.ts';
import { NodeFileSystem } from './file-system.ts';

test('where the host makes no directories, making one fails and does not go on for ever', { timeout: 60_000 }, async (t) => {
  if (!existsSync('/proc/self')) return t.skip('there is no /proc here');
  for (const path of ['/proc/none', '/proc/none/below'])
    await assert.rejects(new NodeFileSystem().makeDirectory(path), (error) => {
      assert.ok(error instanceof FsError);
      assert.equal(error.code, 'not-found');
      assert.match(error.message, /\/proc\/none/);
      return true;
    });
});
