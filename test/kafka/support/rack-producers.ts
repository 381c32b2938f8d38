import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { KafkaClient } from '../../../src/index.ts'
import { clientJars } from '../../wire/support/jars.ts'

/** A hundred choices of a partition: batches have 16 KiB, messages 1 KiB. */
const ROUND = 1_600

/** Sends a round of messages without a key; resolves with the partitions that have got some. */
export type SendRound = () => Promise<readonly number[]>

export interface JavaRounds extends AsyncDisposable {
  readonly send: SendRound
}

/** A producer of Java in a rack. */
export async function roundsOfJava(
  hosts: string,
  topic: string,
  rack: string,
): Promise<JavaRounds> {
  const classPath = join(await clientJars('4.4.0'), '*')
  const program = ['test/kafka/java/RackProducer.java', hosts, topic, rack]
  const java = spawn('java', ['-cp', classPath, ...program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: java.stdout })[Symbol.asyncIterator]()
  return {
    send: async () => {
      java.stdin.write(`${ROUND}\n`)
      const line = await lines.next()
      return JSON.parse(line.done === true ? 'Java has ended' : line.value) as number[]
    },
    async [Symbol.asyncDispose]() {
      java.stdin.end()
      await once(java, 'exit')
    },
  }
}

/** A producer of samsa in a rack. */
export async function roundsOfOurs(
  client: KafkaClient,
  topic: string,
  clientRack: string,
): Promise<SendRound> {
  const producer = await client.topic(topic).getProducer({ clientRack, batchBytes: 16_384 })
  const value = Buffer.alloc(1024)
  return async () => {
    const sent = await Promise.all(Array.from({ length: ROUND }, () => producer.produce(value)))
    return [...new Set(sent.map(({ partition }) => partition))].sort()
  }
}

/** Resolves after the first round that has exactly these partitions: metadata may still be old. */
export async function reaches(send: SendRound, partitions: readonly number[]): Promise<void> {
  while (String(await send()) !== String(partitions));
}
