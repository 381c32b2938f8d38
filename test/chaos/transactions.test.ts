import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { AssignorName, BalancedConsumerOptions } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { guardChild } from '../support/kafka/watchdog.ts'
import { NO_REMARKS } from '../support/kcat.ts'
import { describeWithBrokers, isAtLeast } from '../support/real-brokers.ts'
import { copyWhileKilled, partitionsOf } from '../support/transactions/copy-test.ts'
import { clientJars } from '../wire/support/jars.ts'

const MINUTES = 60_000
const MESSAGES = 100_000
const PER_TRANSACTION = 750

const SESSION_TIMEOUT_MS = 6_000
/** The session timeout of groups of the consumer protocol, which the brokers of Kafka 4.0 and newer have. */
const CONSUMER_GROUPS = {
  'group.consumer.min.session.timeout.ms': String(SESSION_TIMEOUT_MS),
  'group.consumer.session.timeout.ms': String(SESSION_TIMEOUT_MS),
}

const classic = (assignor: AssignorName) => ({
  managed: true as const,
  assignors: [assignor],
  sessionTimeoutMs: SESSION_TIMEOUT_MS,
})

type Variant = readonly [string, number, Partial<BalancedConsumerOptions>]

const VARIANTS: readonly Variant[] = [
  ['by eager members', 4, classic('range')],
  ['by cooperative members', 4, classic('cooperative-sticky')],
  ['of one partition, in its order', 1, classic('range')],
]
const OF_CONSUMER_PROTOCOL: Variant = [
  'by members of the consumer protocol',
  4,
  { groupProtocol: 'consumer' },
]

describeWithBrokers(
  'transactional copies while brokers and copiers are killed',
  ['java', 'kcat'],
  () => {
    describe.each(['4.4.0', '2.8.2'])('on three brokers of Kafka %s', (version) => {
      const hasConsumerProtocol = isAtLeast(version, '4.0')
      let kafka: KafkaCluster
      let classPath: string

      beforeAll(async () => {
        const config = {
          'default.replication.factor': '3',
          'min.insync.replicas': '2',
          ...(hasConsumerProtocol ? CONSUMER_GROUPS : {}),
        }
        kafka = await startKafka({ version, brokers: 3, config })
        classPath = join(await clientJars('4.4.0'), '*')
      }, 5 * MINUTES)
      afterAll(() => kafka.stop())

      /** Lines that another client prints until it has read all messages. */
      async function linesOf(command: string, args: readonly string[]): Promise<string[]> {
        const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
        guardChild(child)
        const chunks: Buffer[] = []
        child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
        await once(child, 'close')
        return Buffer.concat(chunks).toString().trimEnd().split('\n')
      }

      it.each(hasConsumerProtocol ? [...VARIANTS, OF_CONSUMER_PROTOCOL] : VARIANTS)(
        `equal the original, ${MESSAGES} messages, %s`,
        async (what, partitions, members) => {
          const from = `from-${what.replaceAll(/\W+/g, '-')}`
          const to = `to-${what.replaceAll(/\W+/g, '-')}`
          for (const topic of [from, to]) {
            await kafka.createTopic(topic, { partitions, replicationFactor: 3 })
          }
          const peer = 'test/kafka/java/TransactionPeer.java'
          const java = linesOf('java', [
            '-cp',
            classPath,
            peer,
            kafka.hosts,
            to,
            'follow',
            String(MESSAGES),
          ])
          const committed = ['-X', 'isolation.level=read_committed']
          const place = ['-b', kafka.hosts, '-C', '-q', '-t', to, '-o', 'beginning']
          const kcat = (async () => {
            // It ends where all connections are lost at once, and then has to begin again.
            for (;;) {
              const count = ['-c', String(MESSAGES), '-f', '%p %s\n']
              const lines = await linesOf('kcat', [...NO_REMARKS, ...committed, ...place, ...count])
              if (lines.length >= MESSAGES) return lines
            }
          })()
          const result = await copyWhileKilled({
            hosts: kafka.hosts,
            from,
            to,
            partitions,
            messages: MESSAGES,
            perTransaction: PER_TRANSACTION,
            copiers: partitions === 1 ? 1 : 2,
            members,
            workMs: 50,
            disturb: async (percent) => {
              // Each once, so that each coordinator of groups and transactions moves, and so do all leaders.
              const id = percent / 20
              await kafka.stopBroker(id, percent === 40 ? 'SIGTERM' : 'SIGKILL')
              await kafka.startBroker(id)
            },
          })
          expect(result.afterwards).toEqual(result.expected)
          expect(result.concurrent).toEqual(result.expected)
          expect(partitionsOf(await java, partitions)).toEqual(result.expected)
          expect(partitionsOf(await kcat, partitions)).toEqual(result.expected)
          expect(result.uncommittedMessages).toBeGreaterThan(0)
          const aborted = `${result.uncommittedMessages} messages of killed copiers were aborted`
          process.stdout.write(`Kafka ${version}, ${what}: ${aborted}\n`)
        },
        10 * MINUTES,
      )
    })
  },
)
