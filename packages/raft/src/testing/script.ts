// Golden scripts: a cluster led by commands that a person can read, and what it does in answer, in a form that a person
// can check. A file is blocks of `> command` lines, each followed by its output; the test writes the whole file anew and
// compares (or, told to, replaces it).
//
//   > cluster 3 [with 1,1,2 | 1,1 | 1]   starts members 1 to 3, with entries of these terms on their disks
//   > campaign N   > transfer N M   > tick N [times]   > propose N word…   > read N   > crash N   > restart N
//   > ready N      takes the work of member N: its messages are under way, its writes wait
//   > sync N       N's writes are durable
//   > deliver A-B  delivers what is under way from A to B; `drop A-B` loses it
//   > cut A-B    nothing passes between A and B until `heal`
//   > settle       lets everything happen that needs no tick
//   > status
import { defined, fromUtf8, seededRandom, unreachable, utf8 } from '@distrokv/base';
import type { MemberId } from '@distrokv/base';
import type { Entry, Message } from '../messages.ts';
import type { Ready } from '../types.ts';
import { Cluster } from './cluster.ts';
import type { TestNode } from './cluster.ts';

function describeEntry({ index, term, kind, data }: Entry): string {
  return `${index}/${term}${kind === 'noop' ? ' noop' : data.length > 0 ? ` "${fromUtf8(data)}"` : ''}`;
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
      return `commit ${message.leaderCommit} round ${message.readRound} all have ${message.matchedByAll}`;
    case 'heartbeat-response':
      return `round ${message.readRound}`;
    case 'propose':
      return message.commands.map((command) => `"${fromUtf8(command)}"`).join(' ');
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

  #start([size, , ...logs]: readonly string[]): void {
    this.#cluster = new Cluster({
      size: Number(size),
      random: seededRandom(1),
      logs: logs
        .join('')
        .split('|')
        .map((log) => (log === '' ? [] : log.split(',').map(Number))),
      onReady: (node, ready) => this.#ready(node, ready),
      onDeliver: (message) => this.#out.push(`  ${describe(message)}`),
    });
  }

  #ready({ id }: TestNode, { softState, hardState, writeId, entries, committed, readStates }: Ready): void {
    if (softState !== undefined)
      this.#out.push(`${id} is ${softState.role} in term ${softState.term}, leader ${softState.leader ?? 'unknown'}`);
    if (writeId > 0) {
      const hard = hardState === undefined ? '' : ` term ${hardState.term} vote ${hardState.vote ?? 'nobody'} commit ${hardState.commit}`;
      this.#out.push(`${id} writes #${writeId}${hard}${entries.length > 0 ? ` ${describeEntries(entries)}` : ''}`);
    }
    if (committed.length > 0) this.#out.push(`${id} applies ${describeEntries(committed)}`);
    for (const { index } of readStates) this.#out.push(`${id} may read at ${index}`);
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
