// One engine and one group of workloads, in a process of their own: gets the job from its parent, sends back the figures.
import fs from 'node:fs';
import path from 'node:path';
import { groups } from './groups.mjs';
import { Values } from './data.mjs';
import { residentBytes } from './meters.mjs';
import { profiled } from './profile.mjs';
import { stores } from './stores/index.mjs';

process.once('message', (job) => {
  run(job).then(
    (results) => process.send({ results }, () => process.disconnect()),
    (error) => process.send({ error: error.stack }, () => process.disconnect()),
  );
});

async function run({
  engine,
  group: groupName,
  only,
  directory,
  keys,
  hotKeys,
  valueBytes,
  memoryBytes,
  seconds,
  seed,
  filledMark,
  profileDirectory,
}) {
  const group = groups[groupName];
  const openStore = await stores[engine].load();
  const values = new Values(valueBytes);
  const open = () => openStore(directory, { durable: group.durable, memoryBytes });
  const context = {
    directory,
    keys,
    hotKeys,
    values,
    memoryBytes,
    seconds,
    seed,
    written: 0,
    baseBytes: residentBytes().now,
    store: undefined,
  };
  const results = {};
  const measure = async (workloads) => {
    for (const [name, workload] of Object.entries(workloads)) {
      const file = profileDirectory && path.join(profileDirectory, `${engine}-${name}.cpuprofile`);
      results[name] = await profiled(file, () => workload(context));
    }
  };
  const reopen = async () => {
    await context.store.close();
    context.store = await open();
  };

  context.store = await open();
  // A store that an earlier run filled whole.
  if (filledMark === undefined || !fs.existsSync(filledMark)) {
    await measure(group.fill);
    if (filledMark !== undefined) fs.writeFileSync(filledMark, '');
  }
  if (group.beforeReopen !== undefined) {
    await context.store.close();
    group.beforeReopen();
    context.store = await open();
  }
  const isFilled = Object.keys(group.fill).length > 0;
  if (isFilled && group.check !== undefined) {
    await reopen();
    await group.check(context);
    await context.store.settleForReads();
  }
  await measure(Object.fromEntries(Object.entries(group.workloads).filter(([name]) => only.includes(name))));
  if (!isFilled) {
    await reopen();
    await group.check(context);
  }
  await context.store.close();
  return results;
}
