// Golden scripts: a cluster led by commands that a person can read, and what it does in answer, in a form that a person
// can check. A file is blocks of `> command` lines, each followed by its output; the test writes the whole file anew and
// compares (or, told to, replaces it).
//
//   > cluster 3 [with 1,1,2 | 1,1 | 1]   starts members 1 to 3, with entries of these terms on their disks
//   > cluster 3 spares 1                 starts member 4, too, which knows of no cluster
//   > campaign N   > transfer N M   > tick N [times]   > propose N word…   > read N   > crash N   > restart N
//   > configure N A,B,C [learners D] [joining E]   proposes at member N that A, B and C vote, D learns, and E is to vote
//   > compact N    N's log drops what is applied; `snapshot A-B` delivers a snapshot, `drop-snapshot A-B` loses it
//   > ready N      takes the work of member N: its messages are under way, its writes wait
//   > sync N       N's writes are durable
//   > deliver A-B  delivers what is under way from A to B; `drop A-B` loses it
//   > cut A-B    nothing passes between A and B until `heal`
//   > settle       lets everything happen that needs no tick
//   > status
import { defined, fromUtf8, seededRandom, unreachable, utf8 } from '@distrokv/base';
import type { MemberId } from '@distrokv/base';
import { decodeConfiguration } from '../configuration-codec.ts';
import type { Configuration } from '../configuration.ts';
import type { Entry, EntryKind, Message } from '../messages.ts';
import type { Ready } from '../types.ts';
import { Cluster } from './cluster.ts';
import type { TestNode } from './cluster.ts';

function describeEntry({ index, term, kind, data }: Entry): string {
  return `${index}/${term}${describeData(kind, data)}`;
}

function describeData(kind: EntryKind, data: Uint8Array): string {
  if (kind === 'noop') return ' noop';
  if (kind === 'config') return ` members ${describeConfiguration(defined(decodeConfiguration(data), 'a configuration'))}`;
  return data.length > 0 ? ` "${fromUtf8(data)}"` : '';
}

function describeConfiguration({ voters, learners, joining, outgoing }: Configuration): string {
  const list = (ids: readonly MemberId[]): string => `{${ids.join(' ')}}`;
  const rest = `${joining.length > 0 ? ` joining ${list(joining)}` : ''}${learners.length > 0 ? ` learners ${list(learners)}` : ''}`;
  return `${outgoing.length > 0 ? `${list(outgoing)}→` : ''}${list(voters)}${rest}`;
}

const describeEntries = (entries: readonly Entry[]): string => `[${entries.map(describeEntry).join(', ')}]`;

function describeBody(message: Message): string {
  switch (message.kind) {
    case 'pre-vote':
      return `last ${message.lastLogIndex}/${message.lastLogTerm}`;
    case 'pre-vote-response':
      return `${message.granted ? 'granted' : 'refused'} after term ${message.askedInTerm}`;
    case 'request-vote':
      return `last ${message.lastLogIndex}/${message.lastLogTerm}${message.byTransfer ? ' by transfer' : ''}`;
    case 'request-vote-response':
      return message.granted ? 'granted' : 'refused';
    case 'append-entries':
      return `after ${message.prevLogIndex}/${message.prevLogTerm} ${describeEntries(message.entries)} commit ${message.leaderCommit}`;
    case 'append-entries-response':
      if (message.success) return `match ${message.matchIndex}`;
      return `refused after ${message.matchIndex}, try after ${message.conflictIndex}/${message.conflictTerm}`;
    case 'heartbeat':
      return `commit ${message.leaderCommit} round ${message.readRound}`;
    case 'heartbeat-response':
      return `round ${message.readRound}${message.quietMs > 0 ? ` quiet for ${message.quietMs} ms` : ''}`;
    case 'propose':
      return message.commands.map((command) => `"${fromUtf8(command)}"`).join(' ');
    case 'propose-configuration':
      return `${describeConfiguration(message.target)} instead of that of entry ${message.basis}`;
    case 'timeout-now':
    case 'read-index':
      return '';
    case 'read-index-response':
      return `index ${message.readIndex}`;
    default:
      return unreachable(message);
  }
}

function describe(message: Message): string {
  return `${message.from}→${message.to} ${message.kind} term ${message.term} ${describeBody(message)}`.trimEnd();
}

function linkOf(word = ''): [bigint, bigint] {
  const [from = 0n, to = 0n] = word.split('-').map(BigInt);
  return [from, to];
}

class Script {
  #cluster: Cluster | undefined;
  #out: string[] = [];
  /** Those whose first configuration, of the start, is no news any more. */
  readonly #configured: Set<MemberId> = new Set();

  run(command: string): string[] {
    this.#out = [];
    const [verb = '', ...words] = command.split(' ');
    this.#act(verb, words);
    return this.#out;
  }

  get #running(): Cluster {
    return defined(this.#cluster, 'the cluster (start with `> cluster`)');
  }

  #act(verb: string, words: readonly string[]): void {
    if (verb === 'cluster') return this.#start(words);
    const cluster = this.#running;
    if (verb === 'settle') return cluster.settle();
    if (verb === 'status') return this.#status(cluster);
    if (verb === 'snapshot' || verb === 'drop-snapshot') return this.#snapshot(cluster, words[0] ?? '', verb === 'drop-snapshot');
    if (verb === 'deliver' || verb === 'drop') return this.#deliver(cluster, words[0] ?? '', verb === 'drop');
    if (verb === 'heal') return cluster.cut.clear();
    if (verb === 'cut') return cluster.cutLink(...linkOf(words[0]));
    const node = cluster.node(Number(words[0]));
    switch (verb) {
      case 'campaign':
        return node.up.campaign();
      case 'transfer':
        this.#out.push(node.up.transferLeadership(BigInt(words[1] ?? 0) as MemberId));
        return;
      case 'configure':
        return this.#configure(cluster, node, words);
      case 'compact':
        return cluster.compact(node);
      case 'tick':
        for (let i = 0; i < Number(words[1] ?? 1); i++) node.up.tick();
        return;
      case 'propose':
        this.#out.push(node.up.propose(words.slice(1).map(utf8)).outcome);
        return;
      case 'read':
        cluster.read(node);
        return;
      case 'crash':
        return cluster.crash(node);
      case 'restart':
        return cluster.start(node);
      case 'ready':
        return cluster.drain(node);
      case 'sync':
        return cluster.sync(node);
      default:
        throw new Error(`a script has no command "${verb}"`);
    }
  }

  #configure(cluster: Cluster, node: TestNode, [, voters = '', ...words]: readonly string[]): void {
    const after = (word: string): string => (words.includes(word) ? (words[words.indexOf(word) + 1] ?? '') : '');
    const numbers = (list: string): number[] => (list === '' ? [] : list.split(',').map(Number));
    this.#out.push(cluster.configure(node, numbers(voters), numbers(after('learners')), numbers(after('joining'))));
  }

  #snapshot(cluster: Cluster, link: string, lost: boolean): void {
    const [from, to] = linkOf(link);
    const snapshot = defined(
      cluster.snapshots.find((each) => each.from === from && each.to === to),
      `a snapshot ${link}`,
    );
    this.#out.push(`  ${lost ? 'lost: ' : ''}${from}→${to} snapshot of everything up to ${snapshot.index}`);
    cluster.deliverSnapshot(snapshot, lost);
  }

  #start([size, what, ...rest]: readonly string[]): void {
    const logs = what === 'with' ? rest : [];
    this.#cluster = new Cluster({
      size: Number(size),
      spares: what === 'spares' ? Number(rest[0]) : 0,
      random: seededRandom(1),
      logs: logs
        .join('')
        .split('|')
        .map((log) => (log === '' ? [] : log.split(',').map(Number))),
      onReady: (node, ready) => this.#ready(node, ready),
      onDeliver: (message) => this.#out.push(`  ${describe(message)}`),
    });
  }

  #ready({ id }: TestNode, { softState, hardState, writeId, entries, committed, readStates, snapshots, configuration }: Ready): void {
    if (configuration !== undefined && this.#configured.has(id))
      this.#out.push(`${id} has members ${describeConfiguration(configuration)}`);
    this.#configured.add(id);
    if (softState !== undefined)
      this.#out.push(`${id} is ${softState.role} in term ${softState.term}, leader ${softState.leader ?? 'unknown'}`);
    if (writeId > 0) {
      const hard = hardState === undefined ? '' : ` term ${hardState.term} vote ${hardState.vote ?? 'nobody'} commit ${hardState.commit}`;
      this.#out.push(`${id} writes #${writeId}${hard}${entries.length > 0 ? ` ${describeEntries(entries)}` : ''}`);
    }
    if (committed.length > 0) this.#out.push(`${id} applies ${describeEntries(committed)}`);
    for (const { index } of readStates) this.#out.push(`${id} may read at ${index}`);
    for (const to of snapshots) this.#out.push(`${id} is to send a snapshot to ${to}`);
  }

  #deliver(cluster: Cluster, link: string, lost: boolean): void {
    const { network } = cluster;
    const [from, to] = linkOf(link);
    const messages = network.filter((message) => message.from === from && message.to === to);
    for (const message of messages) {
      network.splice(network.indexOf(message), 1);
      if (lost) this.#out.push(`  lost: ${describe(message)}`);
      else cluster.deliver(message);
    }
  }

  #status({ nodes }: Cluster): void {
    for (const { id, raft, view } of nodes) {
      if (raft === undefined) {
        this.#out.push(`${id} is down`);
        continue;
      }
      const { role, term, commit } = raft.status();
      this.#out.push(`${id} ${role} term ${term} commit ${commit} log [${view.map((entry) => entry.term).join(' ')}]`);
    }
  }
}

/** Runs the commands of a script and returns the whole script with the output that they gave. */
export function runScript(text: string): string {
  const script = new Script();
  const out: string[] = [];
  let prose = true;
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) {
      if (prose) out.push('');
      out.push(line, ...script.run(line.slice(2)));
      prose = false;
    } else if (line.startsWith('# ')) {
      if (!prose) out.push('');
      out.push(line);
      prose = true;
    }
  }
  return `${out.join('\n').trim()}\n`;
}
