// Makes src/generated/*.ts from proto/*.proto: for each file its types, and its codec; for all of them their descriptors.
//
//   node packages/proto/generator/main.mjs           writes the files
//   node packages/proto/generator/main.mjs --check   fails unless they are what it would write
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { emitCodec } from './emit-codec.mjs';
import { emitDescriptors } from './emit-descriptors.mjs';
import { emitTypes } from './emit-types.mjs';
import { stem } from './names.mjs';
import { parseProto } from './parse.mjs';

const sources = new URL('../proto/', import.meta.url);
const target = new URL('../src/generated/', import.meta.url);

async function generate() {
  const names = (await readdir(sources)).filter((name) => name.endsWith('.proto')).toSorted();
  const files = await Promise.all(names.map(async (name) => parseProto(await readFile(new URL(name, sources), 'utf8'), name)));
  const style = await prettier.resolveConfig(fileURLToPath(new URL('kv.ts', target)));
  const made = new Map();
  for (const file of files) {
    made.set(`${stem(file)}.ts`, emitTypes(files, file));
    made.set(`${stem(file)}.codec.ts`, emitCodec(files, file));
  }
  made.set('descriptors.ts', emitDescriptors(files));
  for (const [name, source] of made) made.set(name, await prettier.format(source, { ...style, parser: 'typescript' }));
  return made;
}

async function check(made) {
  const present = await readdir(target);
  const wrong = present.filter((name) => !made.has(name));
  for (const [name, source] of made) {
    if (!present.includes(name) || (await readFile(new URL(name, target), 'utf8')) !== source) wrong.push(name);
  }
  if (wrong.length > 0) throw new Error(`not what the generator makes: ${wrong.toSorted().join(', ')}; run \`npm run generate\``);
}

const made = await generate();
if (process.argv.includes('--check')) await check(made);
else for (const [name, source] of made) await writeFile(new URL(name, target), source);
