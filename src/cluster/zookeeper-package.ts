import { createRequire } from 'node:module'
import type * as ZooKeeper from 'node-zookeeper-client'

const PACKAGE = 'node-zookeeper-client'
let loaded: typeof ZooKeeper | undefined

/** node-zookeeper-client, loaded when it is first used: reading it takes half as long as all of samsa. */
export function zooKeeperPackage(): typeof ZooKeeper {
  // What `require` gives has no type: this says which one the package's own types give it.
  loaded ??= createRequire(import.meta.url)(PACKAGE) as typeof ZooKeeper
  return loaded
}
