/**
 * The broker list from ZooKeeper, as pykafka reads it: the children of /brokers/ids, each a JSON value.
 * KRaft clusters (Kafka 4 on) have none there.
 */
import type { Client, Exception, State } from 'node-zookeeper-client'
import { KafkaError, NoBrokersAvailableError } from '../errors.ts'
import type { Address } from '../network/address.ts'
import { loadZooKeeperPackage, zooKeeperPackage } from './zookeeper-package.ts'

const BROKERS = '/brokers/ids'

/** Which of a broker's listeners to take. */
export type ListenerSecurity = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** Reads the list once. Throws NoBrokersAvailableError, or a KafkaError that says what ZooKeeper lacks. */
export async function brokersFromZooKeeper(
  zookeeperHosts: string,
  security: ListenerSecurity,
  timeoutMs: number,
): Promise<readonly Address[]> {
  await loadZooKeeperPackage()
  const { createClient } = zooKeeperPackage()
  const client = createClient(zookeeperHosts, { sessionTimeout: timeoutMs, retries: 0 })
  try {
    await connected(client, zookeeperHosts, timeoutMs)
    const ids = await children(client, zookeeperHosts)
    const found = await Promise.all(ids.map((id) => read(client, id)))
    const addresses = found.flatMap((registration) => addressOf(registration, security) ?? [])
    if (addresses.length > 0) return addresses
    throw new KafkaError(
      'NO_BROKERS_AVAILABLE',
      `ZooKeeper at ${zookeeperHosts} knows ${ids.length} brokers in ${BROKERS}, none with a ${security} listener`,
      true,
    )
  } finally {
    client.close()
  }
}

function connected(client: Client, hosts: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new Error(`no ZooKeeper server answered within ${timeoutMs} ms`)
      reject(new NoBrokersAvailableError([{ address: hosts, error }]))
    }, timeoutMs)
    client.on('state', (state: State) => {
      if (state !== zooKeeperPackage().State.SYNC_CONNECTED) return
      clearTimeout(timer)
      resolve()
    })
    client.connect()
  })
}

function children(client: Client, hosts: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    client.getChildren(BROKERS, (error, ids) => {
      if (!isFailure(error)) resolve(ids)
      else {
        const what = `ZooKeeper at ${hosts} has no ${BROKERS}: is the chroot right, and is it not a KRaft cluster?`
        reject(new KafkaError('NO_BROKERS_AVAILABLE', what, true, { cause: error }))
      }
    })
  })
}

/** The registration of a broker; undefined if it has left meanwhile. */
function read(client: Client, id: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    client.getData(`${BROKERS}/${id}`, (error, data) => {
      resolve(isFailure(error) ? undefined : data.toString())
    })
  })
}

/** The types say that there is always an error; there is null where it worked. */
function isFailure(error: Error | Exception | null): error is Error | Exception {
  return error !== null
}

function addressOf(
  registration: string | undefined,
  security: ListenerSecurity,
): Address | undefined {
  const broker = registration === undefined ? null : parsed(registration)
  if (typeof broker !== 'object' || broker === null) return undefined
  if ('endpoints' in broker && Array.isArray(broker.endpoints)) {
    const endpoints = broker.endpoints.map(String)
    const names =
      'listener_security_protocol_map' in broker ? broker.listener_security_protocol_map : {}
    for (const endpoint of endpoints) {
      const match = /^(.+?):\/\/\[?(.*?)\]?:(\d+)$/.exec(endpoint)
      if (match === null) continue
      const [, listener = '', host = '', port] = match
      const map = new Map(Object.entries(names ?? {}))
      if ((map.get(listener) ?? listener) === security) return { host, port: Number(port) }
    }
    return undefined
  }
  if (security !== 'PLAINTEXT' || !('host' in broker) || !('port' in broker)) return undefined
  const { host, port } = broker
  // Null and -1 are said of a broker without such a listener.
  return typeof host === 'string' && typeof port === 'number' && port > 0
    ? { host, port }
    : undefined
}

/** Null for what is no JSON: somebody else's data. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
