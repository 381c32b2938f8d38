/**
 * The watchers of each node. As in ZooKeeper there are two kinds of watches: on a node itself (set
 * by getData and exists) and on its children; addWatch sets both.
 */
import { isAllowed, ZNODE_PERMISSION, type Identity } from './tree/acl.ts'
import type { DataTree } from './tree/data-tree.ts'
import { parentOf } from './tree/paths.ts'
import type { EventType, TreeEvent } from './tree/transaction.ts'

/**
 * The connection that receives an event. Watches end with the connection, and the client sets them
 * again on the next one.
 */
export interface Watcher {
  readonly identities: readonly Identity[]
  notify(type: EventType, path: string): void
}

export type WatchKind = 'data' | 'children'
/** `once` for all but addWatch; `recursive` also applies to all nodes below. */
export type WatchMode = 'once' | 'persistent' | 'recursive'

/** The watches of a client, as it sends them after a reconnect. */
export interface WatchesToSet {
  /** The last transaction that the client knows of. */
  readonly relativeZxid: bigint
  readonly data: readonly string[]
  readonly exist: readonly string[]
  readonly children: readonly string[]
  readonly persistent: readonly string[]
  readonly recursive: readonly string[]
}

export class Watches {
  readonly #tree: DataTree
  readonly #byKind: Readonly<Record<WatchKind, WatchTable>> = {
    data: new WatchTable(),
    children: new WatchTable(),
  }

  constructor(tree: DataTree) {
    this.#tree = tree
  }

  get size(): number {
    return this.#byKind.data.size + this.#byKind.children.size
  }

  add(kind: WatchKind, path: string, watcher: Watcher, mode: WatchMode = 'once'): void {
    this.#byKind[kind].add(path, watcher, mode)
  }

  addBoth(path: string, watcher: Watcher, mode: WatchMode): void {
    this.add('data', path, watcher, mode)
    this.add('children', path, watcher, mode)
  }

  has(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.#byKind[kind].has(path, watcher)
  }

  /** Returns whether there was a watch. */
  remove(kind: WatchKind, path: string, watcher: Watcher): boolean {
    return this.#byKind[kind].remove(path, watcher)
  }

  removeAll(watcher: Watcher): void {
    this.#byKind.data.removeAll(watcher)
    this.#byKind.children.removeAll(watcher)
  }

  /** Reports the changes of a transaction. A deletion notifies each watcher only once. */
  trigger(events: readonly TreeEvent[]): void {
    for (const { type, path, acl } of events) {
      const kinds: readonly WatchKind[] =
        type === 'NodeDeleted'
          ? ['data', 'children']
          : type === 'NodeChildrenChanged'
            ? ['children']
            : ['data']
      const watchers = new Set(kinds.flatMap((kind) => this.#byKind[kind].take(type, path)))
      for (const watcher of watchers) {
        if (isAllowed(acl, ZNODE_PERMISSION.read, watcher.identities)) watcher.notify(type, path)
      }
    }
  }

  /** Changes after `relativeZxid` are reported immediately; the other watches are set. */
  setAgain(watches: WatchesToSet, watcher: Watcher): void {
    const { relativeZxid } = watches
    for (const path of watches.data) {
      const node = this.#tree.find(path)
      if (node === undefined) watcher.notify('NodeDeleted', path)
      else if (node.mzxid > relativeZxid) watcher.notify('NodeDataChanged', path)
      else this.add('data', path, watcher)
    }
    for (const path of watches.exist) {
      if (this.#tree.find(path) === undefined) this.add('data', path, watcher)
      else watcher.notify('NodeCreated', path)
    }
    for (const path of watches.children) {
      const node = this.#tree.find(path)
      if (node === undefined) watcher.notify('NodeDeleted', path)
      else if (node.pzxid > relativeZxid) watcher.notify('NodeChildrenChanged', path)
      else this.add('children', path, watcher)
    }
    for (const path of watches.persistent) this.addBoth(path, watcher, 'persistent')
    for (const path of watches.recursive) this.addBoth(path, watcher, 'recursive')
  }
}

class WatchTable {
  readonly #byPath = new Map<string, Map<Watcher, WatchMode>>()
  readonly #pathsOf = new Map<Watcher, Set<string>>()
  #recursive = 0

  get size(): number {
    let size = 0
    for (const watchers of this.#byPath.values()) size += watchers.size
    return size
  }

  has(path: string, watcher: Watcher): boolean {
    return this.#byPath.get(path)?.has(watcher) ?? false
  }

  /** A watcher has one watch on a path, the last one set, as in ZooKeeper 3.8. */
  add(path: string, watcher: Watcher, mode: WatchMode): void {
    this.remove(path, watcher)
    if (mode === 'recursive') this.#recursive++
    const watchers = this.#byPath.get(path) ?? new Map<Watcher, WatchMode>()
    this.#byPath.set(path, watchers.set(watcher, mode))
    const paths = this.#pathsOf.get(watcher) ?? new Set()
    this.#pathsOf.set(watcher, paths.add(path))
  }

  remove(path: string, watcher: Watcher): boolean {
    const watchers = this.#byPath.get(path)
    const mode = watchers?.get(watcher)
    if (watchers === undefined || mode === undefined) return false
    if (mode === 'recursive') this.#recursive--
    watchers.delete(watcher)
    if (watchers.size === 0) this.#byPath.delete(path)
    const paths = this.#pathsOf.get(watcher)
    paths?.delete(path)
    if (paths?.size === 0) this.#pathsOf.delete(watcher)
    return true
  }

  removeAll(watcher: Watcher): void {
    for (const path of [...(this.#pathsOf.get(watcher) ?? [])]) this.remove(path, watcher)
  }

  /** The watchers to notify; watches that fire only once are removed. */
  take(type: EventType, path: string): readonly Watcher[] {
    const found: Watcher[] = []
    for (const [watcher, mode] of this.#byPath.get(path) ?? []) {
      // A recursive watch is notified of each child separately.
      if (mode === 'recursive' && type === 'NodeChildrenChanged') continue
      found.push(watcher)
      if (mode === 'once') this.remove(path, watcher)
    }
    if (this.#recursive === 0 || type === 'NodeChildrenChanged') return found
    for (let above = path; above !== '/';) {
      above = parentOf(above)
      for (const [watcher, mode] of this.#byPath.get(above) ?? []) {
        if (mode === 'recursive') found.push(watcher)
      }
    }
    return found
  }
}
