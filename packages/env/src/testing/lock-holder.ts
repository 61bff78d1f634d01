// A process for the lock's tests: takes the lock that it is told, says so, and holds it until it is killed.
import { createNodeEnv } from '../node/env.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: lock-holder PATH');
await createNodeEnv().fs.lock(path);
process.send?.('locked');
setInterval(() => {}, 60_000);
