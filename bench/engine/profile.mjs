// Writes a CPU profile of one workload, for Chrome's developer tools or any other reader of `.cpuprofile`.
import fs from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Runs `work`; with a file, under the profiler. Slower then by a few percent, so such figures are for comparing parts of one run only. */
export async function profiled(file, work) {
  if (file === undefined) return work();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
  const result = await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  fs.writeFileSync(file, JSON.stringify(profile));
  return result;
}
