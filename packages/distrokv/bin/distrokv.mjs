#!/usr/bin/env node
// Started by people on any Node: says what is needed before it loads what needs it.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Error: distrokv needs Node 20.19 or later, and this is Node ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  if (process.argv[2] === 'server') {
    const { beginAnew } = await import('../dist/runtime-flags.js');
    beginAnew();
  }
  // Where the runtime can keep compiled code (Node 22), the next start is quicker.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache?.();
  const { main } = await import('../dist/main.js');
  await main(process.argv.slice(2));
}
