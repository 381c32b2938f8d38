import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** A client that is measured: its driver is a file in clients/. */
export interface Client {
  readonly name: string
  readonly driver: string
  /** The newest Kafka that it works with, where that isn't the newest there is. */
  readonly newestKafka?: string
  /** Only questions that name it ask it. */
  readonly isNamed?: boolean
}

export const CLIENTS: readonly Client[] = [
  { name: 'samsa', driver: 'samsa.js' },
  { name: 'kafkajs', driver: 'kafkajs.js' },
  { name: 'samsa-kafkajs', driver: 'samsa-kafkajs.js', isNamed: true },
  { name: 'platformatic', driver: 'platformatic.js' },
  { name: 'node-rdkafka', driver: 'node-rdkafka.js' },
  { name: 'confluent', driver: 'confluent.js' },
  { name: 'java', driver: 'java.js' },
  { name: 'librdkafka', driver: 'librdkafka.py' },
  { name: 'kafka-python', driver: 'kafka-python.py' },
  { name: 'confluent-python', driver: 'confluent-python.py' },
  { name: 'pykafka', driver: 'pykafka-driver.py', newestKafka: '3.9.1' },
  { name: 'bare', driver: 'bare.js' },
  { name: 'pystorm', driver: 'pystorm.js', isNamed: true },
]

const PEERS = resolve('benchmarks/peers')

/** The Node.js that all clients of Node run on: the one of benchmarks/peers, if it is installed. */
export function nodeForClients(): string {
  const installed = join(PEERS, 'node_modules/node/bin/node')
  return existsSync(installed) ? installed : process.execPath
}

/** The program and its first arguments. */
export function commandOf({ driver }: Client, nodeOptions: readonly string[] = []): string[] {
  const file = resolve('benchmarks/clients', driver)
  if (driver.endsWith('.js')) return [nodeForClients(), ...nodeOptions, file]
  const own = join(PEERS, 'python/bin/python')
  return [existsSync(own) ? own : 'python3', file]
}
