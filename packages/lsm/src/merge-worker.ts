// The entry of the thread that merges: takes one job at a time, reads and writes files by itself, and answers with the tables.
// It knows nothing of the tree: until the main thread names them in the manifest, its tables are files that nobody needs.
import { createNodeEnv } from '@distrokv/env';
import { LsmError } from './errors.ts';
import type { MergeAnswer, MergeRequest } from './merge-thread.ts';
import { asPlain } from './plain-errors.ts';
import { runJob } from './merge-work.ts';
import { serveThread } from './threads.ts';

const env = createNodeEnv();
let isCancelled = false;

function check(): void {
  if (isCancelled) throw new LsmError('closed', 'the merge was broken off');
}

serveThread<MergeRequest, MergeAnswer>((request, answer) => {
  if (request === 'cancel') {
    isCancelled = true;
    return;
  }
  isCancelled = false;
  runJob(request, env, check).then(
    (added) => answer({ added }),
    (error: unknown) => answer({ error: asPlain(error) }),
  );
});
