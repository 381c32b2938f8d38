import { connect, type Socket } from 'node:net'
import type { ConsumedMessage, KafkaClient, SocketFactory } from '../../../src/index.ts'

/** Writes this many messages over all partitions of a topic: each partition's count up from 0. */
export async function writeNumbered(
  client: KafkaClient,
  topic: string,
  { partitions, perPartition }: { readonly partitions: number; readonly perPartition: number },
): Promise<void> {
  await using producer = await client.topic(topic).getProducer({ lingerMs: 5 })
  for (let number = 0; number < perPartition; number++) {
    await producer.ready()
    for (let partition = 0; partition < partitions; partition++) {
      void producer.produce(String(number), { partition })
    }
  }
  await producer.flush()
}

/** Checks that each partition's numbers come in order, none missing and none twice. */
export class NumberChecker {
  count = 0
  readonly #next = new Map<number, number>()

  /** Throws at the first that is not the next. */
  take({ partition, offset, value }: ConsumedMessage): void {
    const expected = this.#next.get(partition) ?? 0
    const number = Number(String(value))
    if (number !== expected) {
      throw new Error(`partition ${partition} has ${number} at offset ${offset}, not ${expected}`)
    }
    this.#next.set(partition, expected + 1)
    this.count++
  }
}

/** Opens a client's connections, and can cut them: whatever is on its way is lost with them. */
export class CuttableSockets {
  readonly #open = new Set<Socket>()

  readonly factory: SocketFactory = ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port })
      socket.once('error', reject)
      socket.once('connect', () => {
        this.#open.add(socket)
        socket.once('close', () => this.#open.delete(socket))
        resolve(socket)
      })
    })

  /** Returns how many there were. */
  cutAll(): number {
    const count = this.#open.size
    for (const socket of this.#open) socket.destroy()
    return count
  }
}
