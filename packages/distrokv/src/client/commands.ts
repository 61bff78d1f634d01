// The client commands on the command line: what they are called, what they take, how they are explained. What they do is
// loaded when one is called.
import { type Command, Option } from 'commander';
import type { Host } from '../host.ts';
import type * as endpoints from './endpoints.ts';
import type { DeleteFlags, GetFlags, PutFlags } from './kv.ts';
import type * as lease from './lease.ts';
import type * as maintenance from './maintenance.ts';
import type { WatchFlags } from './watch.ts';

export function addGlobalOptions(program: Command): void {
  program.optionsGroup('Connection and output (before or after a client command):');
  program.addOption(new Option('--endpoints <list>', 'servers to talk to, separated by commas (default: 127.0.0.1:2379)'));
  program.addOption(new Option('-w, --write-out <format>', 'simple, json, table or fields (default: simple)'));
  program.addOption(new Option('--hex', 'show keys and values as hexadecimal bytes (simple and table)'));
  program.addOption(new Option('--command-timeout <time>', 'how long a server may take to answer (default: 5s)'));
  program.addOption(
    new Option('--cacert <file>', "authorities of the servers' certificates, PEM; endpoints without a scheme are then https"),
  );
  program.addOption(new Option('--cert <file>', 'certificate to show to the servers, PEM'));
  program.addOption(new Option('--key <file>', 'its key, PEM'));
  program.addOption(new Option('--insecure-skip-tls-verify', 'take any certificate of a server (encrypted, but not safe)'));
  program.addOption(new Option('--dial-timeout <time>', "taken for etcdctl's sake: here a connection counts into --command-timeout"));
}

export function addClientCommands(program: Command, host: Host): void {
  addPut(program, host);
  addGet(program, host);
  addDelete(program, host);
  addTxn(program, host);
  addWatch(program, host);
  addLeaseCommands(program, host);
  addLockCommands(program, host);
  addEndpointCommands(program, host);
  addMaintenanceCommands(program, host);
  addAncestorCommand(program, host);
}

function addPut(program: Command, host: Host): void {
  const command = program
    .command('put')
    .description('store a value under a key')
    .argument('<key>', 'the key')
    .argument('[value]', 'from standard input if left out, or "-"');
  command
    .option('--prev-kv', 'print the pair that was there before')
    .option('--lease <id>', 'tie the key to this lease (hexadecimal)')
    .option('--ignore-value', 'keep the value that is there')
    .option('--ignore-lease', 'keep the lease that is there');
  command.addHelpText(
    'after',
    `
Examples:
  distrokv put greeting hello
  distrokv put config < config.json
  distrokv put -- -key -value        keys that begin with a dash come after "--"
`,
  );
  command.action(async (key: string, value: string | undefined, flags: PutFlags) => {
    const [{ runPut }, { readGlobals }] = await Promise.all([import('./kv.ts'), import('./globals.ts')]);
    await runPut(host, readGlobals(command, host), key, value, flags);
  });
}

function addGet(program: Command, host: Host): void {
  const command = program
    .command('get')
    .description('read a key, or a range of keys')
    .argument('<key>', 'the key, or where a range begins')
    .argument('[range-end]', 'read all keys from KEY up to this one, which is excluded');
  command
    .option('--prefix', 'all keys that begin with KEY ("" for all keys)')
    .option('--from-key', 'KEY and all keys after it')
    .option('--limit <n>', 'at most so many keys (default: 0, all)')
    .option('--rev <n>', 'as the store was at this revision (default: 0, as it is)')
    .option('--order <order>', 'ASCEND or DESCEND (default: ASCEND)')
    .option('--sort-by <what>', 'CREATE, KEY, MODIFY, VALUE or VERSION (default: KEY)')
    .option('--min-mod-rev <n>', 'keys only whose last change was at this revision or later')
    .option('--max-mod-rev <n>', '… at this revision or earlier')
    .option('--min-create-rev <n>', 'keys only that were created at this revision or later')
    .option('--max-create-rev <n>', '… at this revision or earlier')
    .option('--keys-only', 'leave the values out')
    .option('--count-only', 'print the number of keys only')
    .option('--print-value-only', 'print values only (-w simple)')
    .option('--consistency <l|s>', 'l: linearizable; s: serializable, from one member, may be stale (default: l)');
  command.addHelpText(
    'after',
    `
A key that is not there prints nothing, and the exit code is 0.

Examples:
  distrokv get greeting
  distrokv get --prefix users/ --keys-only
  distrokv get --prefix "" --limit 10 -w table
  distrokv get config --print-value-only > config.json
`,
  );
  command.action(async (key: string, rangeEnd: string | undefined, flags: GetFlags) => {
    const [{ runGet }, { readGlobals }] = await Promise.all([import('./kv.ts'), import('./globals.ts')]);
    await runGet(host, readGlobals(command, host), key, rangeEnd, flags);
  });
}

function addDelete(program: Command, host: Host): void {
  const command = program
    .command('del')
    .description('delete a key, or a range of keys; prints how many')
    .argument('<key>', 'the key, or where a range begins')
    .argument('[range-end]', 'delete all keys from KEY up to this one, which is excluded');
  command
    .option('--prefix', 'all keys that begin with KEY ("" for all keys)')
    .option('--from-key', 'KEY and all keys after it')
    .option('--prev-kv', 'print the pairs that were deleted');
  command.addHelpText('after', '\nExamples:\n  distrokv del greeting\n  distrokv del --prefix users/ --prev-kv\n');
  command.action(async (key: string, rangeEnd: string | undefined, flags: DeleteFlags) => {
    const [{ runDelete }, { readGlobals }] = await Promise.all([import('./kv.ts'), import('./globals.ts')]);
    await runDelete(host, readGlobals(command, host), key, rangeEnd, flags);
  });
}

function addEndpointCommands(program: Command, host: Host): void {
  type Runner = (host: Host, globals: Awaited<ReturnType<typeof globalsOf>>) => Promise<void>;
  const globalsOf = async (command: Command) => (await import('./globals.ts')).readGlobals(command, host);
  const add = (parent: Command, name: string, description: string, pick: (all: typeof endpoints) => Runner): void => {
    const command = parent.command(name).description(description);
    command.action(async () => pick(await import('./endpoints.ts'))(host, await globalsOf(command)));
  };
  const status = 'version, size, leader and log position of each endpoint';
  add(program, 'status', `${status} (as "endpoint status")`, (all) => all.runEndpointStatus);
  const endpoint = program.command('endpoint').description('ask each of --endpoints about itself');
  add(endpoint, 'status', status, (all) => all.runEndpointStatus);
  const hashkv = endpoint.command('hashkv').description('a checksum of the keys and their history, equal on members that are equal');
  hashkv.option('--rev <n>', 'as of this revision (default: 0, as it is)');
  hashkv.action(async (flags: { rev?: string }) => (await import('./maintenance.ts')).runHashKv(host, await globalsOf(hashkv), flags));
  add(endpoint, 'health', 'whether each endpoint serves linearizable reads', (all) => all.runEndpointHealth);
  const member = program.command('member').description('the members of the cluster');
  add(member, 'list', 'names, addresses and state of all members', (all) => all.runMemberList);
  addMemberChanges(member, host);
}

function addMemberChanges(member: Command, host: Host): void {
  const loaded = async (command: Command) => {
    const [members, { readGlobals }] = await Promise.all([import('./members.ts'), import('./globals.ts')]);
    return { ...members, globals: readGlobals(command, host) };
  };
  const urls = ['--peer-urls <urls>', 'where the other members reach it, separated by commas'] as const;
  const add = member.command('add').description('add a member, which then starts with --initial-cluster-state existing');
  add
    .argument('<name>', 'its name')
    .requiredOption(...urls)
    .option('--learner', 'it gets the log, and does not vote until it is promoted');
  add.addHelpText('after', '\nExample:\n  distrokv member add n4 --peer-urls=http://10.0.0.4:2380 --learner\n');
  add.action(async (name: string, flags: { peerUrls: string; learner?: true }) => {
    const { runMemberAdd, globals } = await loaded(add);
    await runMemberAdd(host, globals, name, flags);
  });
  const remove = member.command('remove').description('remove a member, for good').argument('<id>', 'as "member list" shows it');
  remove.action(async (id: string) => {
    const { runMemberRemove, globals } = await loaded(remove);
    await runMemberRemove(host, globals, id);
  });
  const update = member.command('update').description('change where a member is reached by the others').argument('<id>', 'as above');
  update.requiredOption(...urls);
  update.action(async (id: string, flags: { peerUrls: string }) => {
    const { runMemberUpdate, globals } = await loaded(update);
    await runMemberUpdate(host, globals, id, flags);
  });
  const promote = member.command('promote').description('make a learner a voter, once it has the log').argument('<id>', 'as above');
  promote.action(async (id: string) => {
    const { runMemberPromote, globals } = await loaded(promote);
    await runMemberPromote(host, globals, id);
  });
}

function addTxn(program: Command, host: Host): void {
  const command = program.command('txn').description('compare, and then write or read: read from standard input');
  command.option('-i, --interactive', 'say what is asked for');
  command.addHelpText(
    'after',
    `
Three groups of lines, each ended by an empty line: compares, what to do if all hold, what to do otherwise.

Example:
  printf '%s\\n' 'value("light") = "off"' '' 'put light on' 'get room' '' 'get light' '' | distrokv txn
`,
  );
  command.action(async (flags: { interactive?: true }) => {
    const [{ runTxn }, { readGlobals }] = await Promise.all([import('./txn.ts'), import('./globals.ts')]);
    await runTxn(host, readGlobals(command, host), flags);
  });
}

function addWatch(program: Command, host: Host): void {
  const command = program
    .command('watch')
    .description('print what happens to a key, or a range of keys, until it is stopped')
    .argument('[words...]', 'KEY [RANGE_END] [-- PROGRAM ARGUMENTS…]: a program is run for each event');
  command
    .option('--prefix', 'all keys that begin with KEY ("" for all keys)')
    .option('--from-key', 'KEY and all keys after it')
    .option('--rev <n>', 'begin with this revision, in the past too')
    .option('--prev-kv', 'print the pair before, too')
    .option('--progress-notify', 'tell now and then how far it has come while nothing happens')
    .option('-i, --interactive', 'read "watch KEY" from standard input, line by line');
  command.addHelpText(
    'after',
    `
It goes on over lost connections and members, without a gap.

Examples:
  distrokv watch --prefix users/
  distrokv watch config --rev 1 --prev-kv
  distrokv watch config "" -- ./reload.sh     ETCD_WATCH_KEY and ETCD_WATCH_VALUE say what changed
`,
  );
  command.action(async (words: string[], flags: WatchFlags) => {
    const [{ runWatch }, { readGlobals }] = await Promise.all([import('./watch.ts'), import('./globals.ts')]);
    await runWatch(host, readGlobals(command, host), words, flags);
  });
}

function addLeaseCommands(program: Command, host: Host): void {
  const parent = program.command('lease').description('leases: a time to live that keys can be tied to');
  type Globals = Awaited<ReturnType<typeof globalsOf>>;
  const globalsOf = async (command: Command) => (await import('./globals.ts')).readGlobals(command, host);
  const add = <F>(
    name: string,
    description: string,
    run: (all: typeof lease, globals: Globals, id: string, flags: F) => Promise<void>,
  ): Command => {
    const command = parent.command(name).description(description);
    command.action(async (...given: unknown[]) => {
      const [id, flags] = (given.length > 2 ? given : ['', ...given]) as [string, F];
      await run(await import('./lease.ts'), await globalsOf(command), id, flags);
    });
    return command;
  };
  add('grant', 'grant a lease, and print its id', (all, globals, ttl) => all.runLeaseGrant(host, globals, ttl)).argument(
    '<ttl>',
    'seconds',
  );
  add('revoke', 'end a lease at once; its keys are deleted', (all, globals, id) => all.runLeaseRevoke(host, globals, id)).argument(
    '<id>',
    'the lease',
  );
  add<{ keys?: true }>('timetolive', 'how long a lease still lives', (all, globals, id, flags) =>
    all.runLeaseTimeToLive(host, globals, id, flags),
  )
    .argument('<id>', 'the lease')
    .option('--keys', 'and the keys that are tied to it');
  add('list', 'all leases, the next to end first', (all, globals) => all.runLeaseList(host, globals));
  add<{ once?: true }>('keep-alive', 'renew a lease until it is stopped', (all, globals, id, flags) =>
    all.runLeaseKeepAlive(host, globals, id, flags),
  )
    .argument('<id>', 'the lease')
    .option('--once', 'once only');
}

function addLockCommands(program: Command, host: Host): void {
  const lock = program
    .command('lock')
    .description('hold a lock until the command is stopped, or while a program runs')
    .argument(
      '<words...>',
      'NAME [PROGRAM ARGUMENTS…]: the program finds the lock in ETCD_LOCK_KEY, and its fencing token in ETCD_LOCK_REV',
    );
  lock.option('--ttl <seconds>', 'when others go on after this machine has died (default: 60)');
  lock.addHelpText('after', '\nExamples:\n  distrokv lock backup ./backup.sh\n  distrokv lock deploy\n');
  lock.action(async (words: string[], flags: { ttl?: string }) => {
    const [{ runLock }, { readGlobals }] = await Promise.all([import('./lock.ts'), import('./globals.ts')]);
    await runLock(host, readGlobals(lock, host), words, flags);
  });
  const elect = program
    .command('elect')
    .description('take part in an election, and lead until the command is stopped')
    .argument('<name>', 'the election')
    .argument('[value]', 'what those see who listen');
  elect
    .option('-l, --listen', 'only print who leads, now and from now on')
    .option('--ttl <seconds>', 'when others go on after this machine has died (default: 60)');
  elect.action(async (name: string, value: string | undefined, flags: { listen?: true; ttl?: string }) => {
    const [{ runElect }, { readGlobals }] = await Promise.all([import('./lock.ts'), import('./globals.ts')]);
    await runElect(host, readGlobals(elect, host), name, value, flags);
  });
}

function addMaintenanceCommands(program: Command, host: Host): void {
  const globalsOf = async (command: Command) => (await import('./globals.ts')).readGlobals(command, host);
  const compaction = program
    .command('compaction')
    .description('give up the history before a revision')
    .argument('<revision>', 'the first revision that can still be read')
    .option('--physical', 'wait until the space is given back');
  compaction.action(async (revision: string, flags: { physical?: true }) =>
    (await import('./maintenance.ts')).runCompaction(host, await globalsOf(compaction), revision, flags),
  );
  const add = (
    parent: Command,
    name: string,
    description: string,
    pick: (all: typeof maintenance) => typeof maintenance.runAlarmList,
  ): void => {
    const command = parent.command(name).description(description);
    command.action(async () => pick(await import('./maintenance.ts'))(host, await globalsOf(command)));
  };
  const alarm = program.command('alarm').description('what is wrong with members, so that the cluster refuses writes');
  add(alarm, 'list', 'the alarms that are on', (all) => all.runAlarmList);
  add(alarm, 'disarm', 'take all alarms back', (all) => all.runAlarmDisarm);
  add(program, 'defrag', "for etcdctl's sake: nothing needs it here, space comes back by itself", (all) => all.runDefrag);
}

function addAncestorCommand(program: Command, host: Host): void {
  const command = program.command('client').description("the ancestor's client: -addr HOST:PORT -op put|get|delete -key K -val V");
  command
    .configureHelp({ showGlobalOptions: false })
    .option('--addr <address>', 'server to talk to', 'localhost:50051')
    .option('--op <operation>', 'put, get or delete')
    .option('--key <key>', 'the key')
    .option('--val <value>', 'the value, for put');
  command.addHelpText(
    'after',
    '\nExamples:\n  distrokv client -addr localhost:50051 -op put -key city -val Berlin\n  distrokv client -op get -key city\n',
  );
  command.action(async () => {
    // The shared flag for a certificate's key has the same name: whoever of the two took it, here it is this command's.
    const flags: { addr: string; op?: string; key?: string; val?: string } = command.optsWithGlobals();
    await (await import('./ancestor.ts')).runAncestorClient(host, flags);
  });
}
