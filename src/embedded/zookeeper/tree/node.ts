import type { Buffer } from 'node:buffer'
import type { AclEntry } from './acl.ts'

/** ZooKeeper's Stat. Times are milliseconds since 1970, zxids count the transactions. */
export interface NodeStat {
  /** The transaction that created the znode. */
  readonly czxid: bigint
  /** The transaction that last changed the znode's data. */
  readonly mzxid: bigint
  /** When the znode was created, in milliseconds since 1970. */
  readonly ctime: number
  /** When the znode's data last changed, in milliseconds since 1970. */
  readonly mtime: number
  /** How often the znode's data has changed. */
  readonly version: number
  /** How often the znode's children have changed. */
  readonly cversion: number
  /** How often the znode's ACL has changed. */
  readonly aversion: number
  /** The id of the session that owns it; 0n for a persistent node. */
  readonly ephemeralOwner: bigint
  /** The size of the data in bytes. */
  readonly dataLength: number
  /** The number of children. */
  readonly numChildren: number
  /** The transaction that last added or deleted a child. */
  readonly pzxid: bigint
}

export interface TreeNode {
  data: Buffer | null
  acl: readonly AclEntry[]
  readonly czxid: bigint
  mzxid: bigint
  /** The transaction of the last change of its children. */
  pzxid: bigint
  readonly ctime: number
  mtime: number
  version: number
  aversion: number
  /** How many children were created so far: the next sequence number. */
  childrenCreated: number
  readonly ephemeralOwner: bigint
  readonly children: Set<string>
}

export type NewNode = Pick<TreeNode, 'data' | 'acl' | 'ephemeralOwner'> & {
  readonly zxid: bigint
  readonly timeMs: number
}

export function newNode({ data, acl, ephemeralOwner, zxid, timeMs }: NewNode): TreeNode {
  return {
    data,
    acl,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: timeMs,
    mtime: timeMs,
    version: 0,
    aversion: 0,
    childrenCreated: 0,
    ephemeralOwner,
    children: new Set(),
  }
}

export function isEphemeral({ ephemeralOwner }: TreeNode): boolean {
  return ephemeralOwner !== 0n
}

export function statOf(node: TreeNode): NodeStat {
  const { czxid, mzxid, pzxid, ctime, mtime, version, aversion, ephemeralOwner } = node
  const numChildren = node.children.size
  return {
    czxid,
    mzxid,
    ctime,
    mtime,
    version,
    // The number of changes of the children: every creation, and every deletion.
    cversion: 2 * node.childrenCreated - numChildren,
    aversion,
    ephemeralOwner,
    dataLength: node.data?.length ?? 0,
    numChildren,
    pzxid,
  }
}
