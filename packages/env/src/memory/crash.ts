// What a disk may hold after a crash. Synced bytes and synced directory entries are always there; of what was not synced,
// anything may be: the four modes pick from the extremes and from the mix.
import { defined, type Random, unreachable } from '@distrokv/base';
import {
  applyToDirectory,
  applyToFile,
  Contents,
  DirectoryNode,
  FileNode,
  type Node,
  scatterToFile,
  type Unsynced,
  type FileChange,
  type EntriesChange,
} from './nodes.ts';

/**
 * - `lost`: nothing that was not synced is there.
 * - `kept`: all of it is.
 * - `torn`: the changes up to some moment are there, the write at that moment in part, and perhaps garbage for the rest of it.
 * - `reordered`: each sector of each write, and each change of a directory, is there or not, whatever came before it.
 */
export type CrashMode = 'lost' | 'kept' | 'torn' | 'reordered';

/** A file or directory on its way to the image; entries lead to the nodes of the disk that crashed until all are copied. */
type Draft = { readonly kind: 'file'; readonly contents: Contents } | { readonly kind: 'directory'; readonly entries: Map<string, Node> };

interface Change {
  readonly order: number;
  /** Applies the whole change to the draft. */
  apply(): void;
  /** Applies a random part of a change that was cut off at one point. */
  tear(): void;
  /** Applies random parts of the change. */
  scatter(keep: number): void;
}

/** The tree after the crash, and the bytes in its files. */
export function crashImage(root: DirectoryNode, mode: CrashMode, random: Random): { root: DirectoryNode; bytes: number } {
  const drafts = new Map<Node, Draft>();
  const changes: Change[] = [];
  collect(root, drafts, changes, random);
  changes.sort((a, b) => a.order - b.order);
  applySurvivors(changes, mode, random);
  const image = { root: new DirectoryNode(), bytes: 0 };
  const copies = new Map<Node, Node>([[root, image.root]]);
  fill(image, root, image.root, drafts, copies);
  return image;
}

/** Starts a draft, with the durable state, of every node that some image could reach; lists what is not durable. */
function collect(start: Node, drafts: Map<Node, Draft>, changes: Change[], random: Random): void {
  const found: Node[] = [start];
  for (let node = found.pop(); node !== undefined; node = found.pop()) {
    if (drafts.has(node)) continue;
    if (node.kind === 'file') {
      const contents = new Contents(node.durable.view());
      drafts.set(node, { kind: 'file', contents });
      changes.push(...node.unsynced.map((each) => fileChange(each, contents, random)));
      continue;
    }
    const entries = new Map(node.durable);
    drafts.set(node, { kind: 'directory', entries });
    changes.push(...node.unsynced.map((each) => entriesChange(each, entries, random)));
    const reachable = [...node.durable.values(), ...node.unsynced.flatMap((each) => [...each.change.values()])];
    found.push(...reachable.filter((each) => each !== undefined));
  }
}

function applySurvivors(changes: readonly Change[], mode: CrashMode, random: Random): void {
  switch (mode) {
    case 'lost':
      return;
    case 'kept':
      for (const change of changes) change.apply();
      return;
    case 'torn': {
      const whole = random.below(changes.length + 1);
      for (const change of changes.slice(0, whole)) change.apply();
      changes[whole]?.tear();
      return;
    }
    case 'reordered': {
      const keep = random.float();
      for (const change of changes) change.scatter(keep);
      return;
    }
    default:
      unreachable(mode, 'crash mode');
  }
}

function fileChange({ order, change }: Unsynced<FileChange>, contents: Contents, random: Random): Change {
  return {
    order,
    apply: () => applyToFile(contents, change),
    tear: () => {
      if (change.kind === 'write') tearWrite(contents, change.bytes, change.position, random);
    },
    scatter: (keep) => scatterToFile(contents, change, keep, random),
  };
}

/** The first bytes of a write; the new end of the file may have the size that was to be, filled with zeros or with anything. */
function tearWrite(contents: Contents, bytes: Uint8Array, position: number, random: Random): void {
  const end = position + bytes.length;
  contents.write(bytes.subarray(0, random.below(bytes.length)), position);
  const missing = end - contents.length;
  if (missing <= 0) return;
  const rest = random.below(3);
  if (rest === 1) contents.resize(end);
  if (rest === 2) contents.write(random.bytes(missing), contents.length);
}

function entriesChange({ order, change }: Unsynced<EntriesChange>, entries: Map<string, Node>, random: Random): Change {
  const apply = (): void => applyToDirectory(entries, change);
  return {
    order,
    apply,
    tear: () => {}, // The entries of one operation change together, or not at all.
    scatter: (keep) => {
      if (random.chance(keep)) apply();
    },
  };
}

/** Copies what the draft of `from` leads to into `to`. A file with two names stays one file. */
function fill(image: { bytes: number }, from: Node, to: DirectoryNode, drafts: ReadonlyMap<Node, Draft>, copies: Map<Node, Node>): void {
  const draft = defined(drafts.get(from), 'the draft of a directory');
  if (draft.kind !== 'directory') return;
  for (const [name, node] of draft.entries) {
    let copy = copies.get(node);
    if (copy === undefined) {
      const inner = defined(drafts.get(node), 'the draft of an entry');
      copy = inner.kind === 'file' ? new FileNode(inner.contents.view()) : new DirectoryNode();
      copies.set(node, copy);
      if (inner.kind === 'file') image.bytes += inner.contents.length;
      if (copy.kind === 'directory') fill(image, node, copy, drafts, copies);
    }
    if (copy.kind === 'file') copy.links++;
    to.now.set(name, copy);
    to.durable.set(name, copy);
  }
}
