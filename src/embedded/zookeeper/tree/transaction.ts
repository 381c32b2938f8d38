/**
 * One change of the tree, or several that form one (a multi, or all ephemeral nodes of a session).
 * It can be undone, and no watch fires before all of it is done.
 */
import type { Buffer } from 'node:buffer'
import { KeeperError } from '../error-codes.ts'
import { checkAllowed, ZNODE_PERMISSION, resolvedAcl, type AclEntry, type Identity } from './acl.ts'
import type { DataTree } from './data-tree.ts'
import { isEphemeral, newNode, statOf, type NodeStat, type TreeNode } from './node.ts'
import { checkPath, parentOf, SYSTEM_NODES } from './paths.ts'

/** CreateMode, by its numbers on the wire. */
const CREATE_MODES = [
  { isEphemeral: false, isSequential: false },
  { isEphemeral: true, isSequential: false },
  { isEphemeral: false, isSequential: true },
  { isEphemeral: true, isSequential: true },
  // A container. Real servers delete it about a minute after its last child is deleted.
  { isEphemeral: false, isSequential: false },
  // Nodes with a time to live. Real servers reject them, too, unless they are enabled.
  { hasTtl: true },
  { hasTtl: true },
] as const

export const CREATE_FLAGS = { persistent: 0, ephemeral: 1 } as const

export interface NewNodeRequest {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly AclEntry[]
  /** An index of CREATE_MODES. */
  readonly flags: number
}

/** ZooKeeper's Watcher.Event.EventType. */
export const EVENT_TYPES = {
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
} as const
export type EventType = keyof typeof EVENT_TYPES

/** A change of a node, for clients that watch it and may read it. */
export interface TreeEvent {
  readonly type: EventType
  readonly path: string
  readonly acl: readonly AclEntry[]
}

export interface TransactionContext {
  readonly tree: DataTree
  readonly zxid: bigint
  readonly timeMs: number
  /** The session that makes the request. */
  readonly sessionId: bigint
  readonly identities: readonly Identity[]
}

export class TreeTransaction {
  readonly events: TreeEvent[] = []
  readonly #parts: TransactionContext
  readonly #undo: (() => void)[] = []

  constructor(parts: TransactionContext) {
    this.#parts = parts
  }

  /** Undoes all changes. */
  rollBack(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo()
    this.events.length = 0
  }

  /** Returns the path, which may end with a sequence number. */
  create(request: NewNodeRequest): { readonly path: string; readonly stat: NodeStat } {
    const { tree, zxid, timeMs, sessionId, identities } = this.#parts
    const mode = CREATE_MODES[request.flags]
    if (mode === undefined) throw new KeeperError('BAD_ARGUMENTS', request.path)
    if ('hasTtl' in mode) throw new KeeperError('UNIMPLEMENTED', request.path)
    const parentPath = parentOf(request.path)
    const acl = resolvedAcl(request.acl, identities, request.path)
    const parent = tree.get(parentPath)
    checkAllowed(parent.acl, ZNODE_PERMISSION.create, identities, request.path)
    const number = mode.isSequential ? String(parent.childrenCreated).padStart(10, '0') : ''
    const path = request.path + number
    checkPath(path)
    if (tree.find(path) !== undefined) throw new KeeperError('NODE_EXISTS', path)
    if (isEphemeral(parent)) throw new KeeperError('NO_CHILDREN_FOR_EPHEMERALS', path)
    const node = newNode({
      data: request.data,
      acl,
      ephemeralOwner: mode.isEphemeral ? sessionId : 0n,
      zxid,
      timeMs,
    })
    this.#change(parent, { pzxid: zxid, childrenCreated: parent.childrenCreated + 1 })
    tree.attach(path, node)
    this.#undo.push(() => tree.detach(path, node))
    this.events.push(
      { type: 'NodeCreated', path, acl },
      { type: 'NodeChildrenChanged', path: parentPath, acl: parent.acl },
    )
    return { path, stat: statOf(node) }
  }

  delete(path: string, version: number): void {
    const { tree, identities } = this.#parts
    const parentPath = parentOf(path)
    if (SYSTEM_NODES.some((system) => system === path)) throw new KeeperError('BAD_ARGUMENTS', path)
    const parent = tree.get(parentPath)
    checkAllowed(parent.acl, ZNODE_PERMISSION.delete, identities, path)
    const node = tree.get(path)
    checkVersion(node.version, version, path)
    if (node.children.size > 0) throw new KeeperError('NOT_EMPTY', path)
    this.#remove(path, node, parentPath, parent)
  }

  /** The end of a session deletes its nodes, and ignores their ACLs. */
  deleteEphemerals(sessionId: bigint): void {
    const { tree } = this.#parts
    for (const path of [...tree.ephemeralsOf(sessionId)]) {
      const parentPath = parentOf(path)
      this.#remove(path, tree.get(path), parentPath, tree.get(parentPath))
    }
  }

  setData(path: string, data: Buffer | null, version: number): NodeStat {
    const { tree, zxid, timeMs, identities } = this.#parts
    checkPath(path)
    const node = tree.get(path)
    checkAllowed(node.acl, ZNODE_PERMISSION.write, identities, path)
    checkVersion(node.version, version, path)
    this.#change(node, { data, version: next(node.version), mzxid: zxid, mtime: timeMs })
    this.events.push({ type: 'NodeDataChanged', path, acl: node.acl })
    return statOf(node)
  }

  setAcl(path: string, asked: readonly AclEntry[], version: number): NodeStat {
    const { tree, identities } = this.#parts
    checkPath(path)
    const acl = resolvedAcl(asked, identities, path)
    const node = tree.get(path)
    checkAllowed(node.acl, ZNODE_PERMISSION.admin, identities, path)
    checkVersion(node.aversion, version, path)
    this.#change(node, { acl, aversion: next(node.aversion) })
    return statOf(node)
  }

  /** Throws BAD_VERSION unless the node has this version; −1 matches any. */
  check(path: string, version: number): void {
    const { tree, identities } = this.#parts
    checkPath(path)
    const node = tree.get(path)
    checkAllowed(node.acl, ZNODE_PERMISSION.read, identities, path)
    checkVersion(node.version, version, path)
  }

  #remove(path: string, node: TreeNode, parentPath: string, parent: TreeNode): void {
    const { tree, zxid } = this.#parts
    this.#change(parent, { pzxid: zxid })
    tree.detach(path, node)
    this.#undo.push(() => tree.attach(path, node))
    this.events.push(
      { type: 'NodeDeleted', path, acl: node.acl },
      { type: 'NodeChildrenChanged', path: parentPath, acl: parent.acl },
    )
  }

  #change(node: TreeNode, to: Partial<TreeNode>): void {
    const before = { ...node }
    Object.assign(node, to)
    this.#undo.push(() => Object.assign(node, before))
  }
}

function checkVersion(has: number, wanted: number, path: string): void {
  if (wanted !== -1 && wanted !== has) throw new KeeperError('BAD_VERSION', path)
}

/** Versions are 32-bit integers, as in Java. */
function next(version: number): number {
  return (version + 1) | 0
}
