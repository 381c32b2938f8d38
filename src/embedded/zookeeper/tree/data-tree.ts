import { Buffer } from 'node:buffer'
import { KeeperError } from '../error-codes.ts'
import { OPEN_ACL, READ_ONLY_ACL } from './acl.ts'
import { isEphemeral, newNode, type TreeNode } from './node.ts'
import { nameOf, parentOf, SYSTEM_NODES } from './paths.ts'

/** The nodes by path. Only transactions change them. */
export class DataTree {
  readonly #nodes = new Map<string, TreeNode>()
  readonly #ephemerals = new Map<bigint, Set<string>>()

  constructor() {
    for (const path of SYSTEM_NODES) {
      const node = newNode({
        data: Buffer.alloc(0),
        acl: OPEN_ACL,
        ephemeralOwner: 0n,
        zxid: 0n,
        timeMs: 0,
      })
      if (path === '/zookeeper/config') Object.assign(node, { acl: READ_ONLY_ACL, aversion: -1 })
      this.#nodes.set(path, node)
      // They do not count as created, as in ZooKeeper, whose root has a cversion of −1.
      if (path !== '/') this.get(parentOf(path)).children.add(nameOf(path))
    }
  }

  get size(): number {
    return this.#nodes.size
  }

  /** The root has two names, as in ZooKeeper. */
  find(path: string): TreeNode | undefined {
    return this.#nodes.get(path === '' ? '/' : path)
  }

  /** Throws NO_NODE. */
  get(path: string): TreeNode {
    const node = this.find(path)
    if (node === undefined) throw new KeeperError('NO_NODE', path)
    return node
  }

  /** The ephemeral nodes of a session. */
  ephemeralsOf(session: bigint): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? new Set()
  }

  /** The number of nodes below this one. Throws NO_NODE. */
  countBelow(path: string): number {
    this.get(path)
    const prefix = path === '/' ? path : `${path}/`
    return [...this.#nodes.keys()].filter((one) => one !== '/' && one.startsWith(prefix)).length
  }

  attach(path: string, node: TreeNode): void {
    this.#nodes.set(path, node)
    this.get(parentOf(path)).children.add(nameOf(path))
    if (!isEphemeral(node)) return
    const own = this.#ephemerals.get(node.ephemeralOwner)
    if (own === undefined) this.#ephemerals.set(node.ephemeralOwner, new Set([path]))
    else own.add(path)
  }

  detach(path: string, node: TreeNode): void {
    this.#nodes.delete(path)
    this.get(parentOf(path)).children.delete(nameOf(path))
    const own = this.#ephemerals.get(node.ephemeralOwner)
    own?.delete(path)
    if (own?.size === 0) this.#ephemerals.delete(node.ephemeralOwner)
  }
}
