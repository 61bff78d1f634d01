// The entry of the background thread: does jobs, reads and writes files by itself, and answers with the tables. It knows nothing of
// the tree: until the main thread names them in the manifest, its tables are files that nobody needs.
//
// Writers may be waiting for a flush, and for a merge only later, so a merge stands still while there is a flush to do.
import { unreachable } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import type { Job, JobAnswer, JobRequest } from './background-thread.ts';
import { LsmError } from './errors.ts';
import { runFlush } from './flush-work.ts';
import { runMerge } from './merge-work.ts';
import { asPlain } from './plain-errors.ts';
import type { WrittenTable } from './table-writer.ts';
import { serveThread } from './threads.ts';

const env = createNodeEnv();
/** Jobs that began before this many cancellations are broken off. */
let cancellations = 0;
let flushing: Promise<unknown> | undefined;

function run(job: Job): Promise<WrittenTable[]> {
  const began = cancellations;
  const check = async (): Promise<void> => {
    if (cancellations > began) throw new LsmError('closed', `the ${job.kind} was broken off`);
  };
  switch (job.kind) {
    case 'flush':
      return runFlush(job, env, check);
    case 'merge':
      return runMerge(job, env, async () => {
        while (flushing !== undefined) await flushing;
        await check();
      });
    default:
      return unreachable(job, 'job');
  }
}

serveThread<JobRequest, JobAnswer>((request, answer) => {
  if (request === 'cancel') {
    cancellations++;
    return;
  }
  const { id, job } = request;
  const done = run(job).then(
    (added) => answer({ id, added }),
    (error: unknown) => answer({ id, error: asPlain(error) }),
  );
  if (job.kind !== 'flush') return;
  flushing = done;
  void done.then(() => {
    if (flushing === done) flushing = undefined;
  });
});
