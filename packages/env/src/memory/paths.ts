// From a path to an inode.
import { fsError } from '../errors.ts';
import type { DirectoryNode, FileNode, Node } from './nodes.ts';

/** The names that lead from the root to `path`, without `.` and `..`. */
export function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/** What is at the end of `parts`, or why there is nothing. */
export function find(root: DirectoryNode, parts: readonly string[]): Node | 'not-found' | 'not-a-directory' {
  let node: Node = root;
  for (const part of parts) {
    if (node.kind === 'file') return 'not-a-directory';
    const next = node.now.get(part);
    if (next === undefined) return 'not-found';
    node = next;
  }
  return node;
}

/** An entry that is there or may be made: `directory` is there. The root has the name ''. */
export interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
}

export function placeAt(root: DirectoryNode, verb: string, path: string): Place {
  const parts = partsOf(path);
  const name = parts.pop();
  if (name === undefined) return { directory: root, name: '', node: root };
  const directory = find(root, parts);
  if (typeof directory === 'string') throw fsError(directory, verb, path);
  if (directory.kind === 'file') throw fsError('not-a-directory', verb, path);
  return { directory, name, node: directory.now.get(name) };
}

export function fileAt(root: DirectoryNode, verb: string, path: string): Place & { readonly node: FileNode } {
  const place = placeAt(root, verb, path);
  if (place.node === undefined) throw fsError('not-found', verb, path);
  if (place.node.kind === 'directory') throw fsError('os', verb, path, 'it is a directory');
  return { ...place, node: place.node };
}

export function directoryAt(root: DirectoryNode, verb: string, path: string): Place & { readonly node: DirectoryNode } {
  const place = placeAt(root, verb, path);
  if (place.node === undefined) throw fsError('not-found', verb, path);
  if (place.node.kind === 'file') throw fsError('not-a-directory', verb, path);
  return { ...place, node: place.node };
}
