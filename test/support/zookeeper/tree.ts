import { ZooKeeperTestSession } from './session.ts'

/** What differs from cluster to cluster. */
const NAMES = new Set(['timestamp', 'port', 'endpoints', 'id', 'topic_id'])

/** All nodes that Kafka has written: path, and its JSON without what is different in each cluster. */
export async function treeOf(hosts: string): Promise<Readonly<Record<string, unknown>>> {
  using session = await ZooKeeperTestSession.open(hosts)
  const found: Record<string, unknown> = {}
  const visit = async (path: string): Promise<void> => {
    for (const name of await session.getChildren(path === '' ? '/' : path)) {
      const child = `${path}/${name}`
      // Of ZooKeeper itself, and of what brokers write only once a producer asks.
      if (child === '/zookeeper' || child === '/latest_producer_id_block') continue
      found[child] = shape(await session.getData(child))
      await visit(child)
    }
  }
  await visit('')
  return found
}

function shape(data: string): unknown {
  if (data === '') return null
  return JSON.parse(data, (name, value: unknown) => {
    if (name === 'endpoints' && Array.isArray(value)) {
      return value.map((endpoint) => String(endpoint).replace(/\d+$/, 'PORT'))
    }
    return NAMES.has(name) ? typeof value : value
  })
}
