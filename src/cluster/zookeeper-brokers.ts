/**
 * Reads the broker list from ZooKeeper, as pykafka does: the children of /brokers/ids, each a JSON value. KRaft
 * clusters (Kafka 4.0 and newer) have none there.
 */
import type { Client, Exception } from 'node-zookeeper-client'
import { abortable } from '../async/abortable.ts'
import { limited, TookTooLongError } from '../async/limited.ts'
import { KafkaError, NoBrokersAvailableError } from '../errors.ts'
import type { Address } from '../network/address.ts'
import { abandon, createZooKeeperClient, endSession, lastProblemOf } from './zookeeper-client.ts'
import { describeZooKeeperHosts, type ZooKeeperHosts } from './zookeeper-hosts.ts'
import { loadZooKeeperPackage, zooKeeperPackage } from './zookeeper-package.ts'

const BROKERS = '/brokers/ids'
/** How many registrations are read at the same time. */
const READ_AT_ONCE = 50
/** No cluster has more brokers than this, and some of them are enough to start with. */
const MOST_BROKERS = 1_000

/** Which of a broker's listeners to use. */
export type ListenerSecurity = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/**
 * Reads the list once. Throws NoBrokersAvailableError if ZooKeeper does not answer completely in time, a KafkaError
 * that names what ZooKeeper lacks, or the signal's reason.
 */
export async function brokersFromZooKeeper(
  hosts: ZooKeeperHosts,
  security: ListenerSecurity,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<readonly Address[]> {
  await loadZooKeeperPackage()
  const client = createZooKeeperClient(hosts, timeoutMs)
  try {
    return await limited(timeoutMs, signal, (limit) =>
      abortable(readBrokers(client, hosts, security, limit), limit),
    )
  } catch (error) {
    if (!(error instanceof TookTooLongError)) throw error
    const problem = lastProblemOf(client)
    const detail = problem === undefined ? '' : ` that can be read (${problem})`
    throw new NoBrokersAvailableError([
      {
        address: describeZooKeeperHosts(hosts),
        error: new Error(`no answer of ZooKeeper${detail} within ${timeoutMs} ms`),
      },
    ])
  } finally {
    endSession(client)
    // Does not wait for the end of the session: it has nothing ephemeral.
    setImmediate(() => abandon(client))
  }
}

/** The read must be repeated. */
class ConnectionLostError extends Error {}

/** Repeats reads that a lost connection interrupted. The client backs off before it connects again. */
async function readBrokers(
  client: Client,
  hosts: ZooKeeperHosts,
  security: ListenerSecurity,
  limit: AbortSignal,
): Promise<readonly Address[]> {
  const { State } = zooKeeperPackage()
  client.connect()
  for (;;) {
    while (client.getState() !== State.SYNC_CONNECTED) await changeOf(client, limit)
    try {
      return await readOnce(client, describeZooKeeperHosts(hosts), security)
    } catch (error) {
      limit.throwIfAborted()
      if (!(error instanceof ConnectionLostError)) throw error
    }
  }
}

async function readOnce(
  client: Client,
  at: string,
  security: ListenerSecurity,
): Promise<readonly Address[]> {
  const ids = await children(client, at)
  const addresses: Address[] = []
  // Not every name that a server may send is valid in a request.
  const read = ids.filter((id) => /^\d{1,10}$/.test(id)).slice(0, MOST_BROKERS)
  for (let from = 0; from < read.length; from += READ_AT_ONCE) {
    const page = read.slice(from, from + READ_AT_ONCE)
    const found = await Promise.all(page.map((id) => registrationOf(client, id)))
    addresses.push(...found.flatMap((one) => addressOf(one, security) ?? []))
  }
  if (addresses.length > 0) return addresses
  throw new KafkaError(
    'NO_BROKERS_AVAILABLE',
    `ZooKeeper at ${at} knows ${ids.length} brokers in ${BROKERS}, none with a ${security} listener`,
    true,
  )
}

function changeOf(client: Client, limit: AbortSignal): Promise<void> {
  return abortable(new Promise((resolve) => client.once('state', () => resolve())), limit)
}

function children(client: Client, at: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    client.getChildren(BROKERS, (error: Failure, ids?: readonly string[]) => {
      if (!isFailure(error)) resolve(ids ?? [])
      else if (isConnectionLoss(error)) reject(new ConnectionLostError())
      else {
        const what = `ZooKeeper at ${at} has no ${BROKERS}: check the chroot, and that it is not a KRaft cluster`
        reject(new KafkaError('NO_BROKERS_AVAILABLE', what, true, { cause: error }))
      }
    })
  })
}

/** The registration of a broker; undefined if the broker has left meanwhile or has none. */
function registrationOf(client: Client, id: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    client.getData(`${BROKERS}/${id}`, (error: Failure, data?: Buffer) => {
      if (isConnectionLoss(error)) reject(new ConnectionLostError())
      else resolve(isFailure(error) ? undefined : data?.toString())
    })
  })
}

/** The package's types declare the error and the data as always present; neither is. */
type Failure = Error | Exception | null | undefined

function isFailure(error: Failure): error is Error | Exception {
  return error !== null && error !== undefined
}

function isConnectionLoss(error: unknown): error is Exception {
  const { Exception } = zooKeeperPackage()
  return error instanceof Exception && error.getCode() === Exception.CONNECTION_LOSS
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
  // A broker without such a listener has null and -1.
  return typeof host === 'string' && typeof port === 'number' && port > 0
    ? { host, port }
    : undefined
}

/** Null for data that is not JSON, which another program wrote. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
