import type { ZooKeeperAuth } from '../../cluster/zookeeper-auth.ts'
import { createZooKeeperClient } from '../../cluster/zookeeper-client.ts'
import type { ZooKeeperHosts } from '../../cluster/zookeeper-hosts.ts'
import { zooKeeperPackage } from '../../cluster/zookeeper-package.ts'
import type { ZooKeeperAcl, ZooKeeperClient } from './client.ts'

/**
 * Creates the client of a session of its own; zookeeper-client.ts lists the faults of the package that it guards
 * against.
 */
export function createNodeClient(
  hosts: ZooKeeperHosts,
  sessionTimeoutMs: number,
  auth: ZooKeeperAuth | undefined,
): ZooKeeperClient {
  return createZooKeeperClient(hosts, sessionTimeoutMs, auth)
}

/** The ACL of created znodes: open without a login; with a login only for clients with the same login. */
export function aclFor(auth: ZooKeeperAuth | undefined): ZooKeeperAcl[] {
  const { ACL, Id, Permission } = zooKeeperPackage()
  const id = auth === undefined ? new Id('world', 'anyone') : new Id('auth', '')
  return [new ACL(Permission.ALL, id)]
}
