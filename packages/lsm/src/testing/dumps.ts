// The hex dumps of a chapter on formats, as tests compare them with real files. A dump is a fenced block, and its first line names the file:
//
//   ```hex manifest                    the whole file
//   ```hex part of ranges/manifest     bytes that lie somewhere in it, in one piece
//
// Whatever follows a `#` in a line is said about the bytes before it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hex } from '@distrokv/base';

interface Dump {
  readonly name: string;
  readonly isPart: boolean;
  readonly hex: string;
}

/** Compares all dumps of `docs/format/<chapter>` with the files of their names. */
export async function assertDumps(chapter: string, read: (name: string) => Promise<Uint8Array>): Promise<void> {
  const text = readFileSync(new URL(`../../../../docs/format/${chapter}`, import.meta.url), 'utf8');
  const dumps = [...text.matchAll(/^```hex (part of )?(\S+)\n([^`]*)```/gm)].map(([, part, name, lines]): Dump => ({
    name: name as string,
    isPart: part !== undefined,
    hex: (lines as string).replaceAll(/#.*|\s/g, ''),
  }));
  assert.equal(dumps.length, [...text.matchAll(/^```hex/gm)].length, 'each dump names its file');
  assert.ok(dumps.length > 0, 'there are dumps');
  for (const dump of dumps) {
    assert.ok(dump.hex.length > 0, `${dump.name} is empty`);
    const bytes = hex(await read(dump.name));
    if (dump.isPart) assert.ok(bytes.includes(dump.hex), `${dump.name} has no such part: ${bytes}`);
    else assert.equal(bytes, dump.hex, dump.name);
  }
}
