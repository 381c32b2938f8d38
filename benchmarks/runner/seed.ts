import { produce, type ProduceRequest } from '../../protocol/apis/produce.ts'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { clusterOptions } from '../../src/client-options.ts'
import { parseHosts } from '../../src/network/address.ts'
import { Broker } from '../../src/network/broker.ts'
import { waitFor } from '../../test/support/kafka/wait.ts'
import type { Place } from './place.ts'
import type { Compression } from './task.ts'
import { leadersOf } from './topics.ts'
import { valuesOf } from './values.ts'

/** As a busy producer writes them: between Java's 16 KB and librdkafka's 1 MB. */
const BATCH_BYTES = 100_000
const IN_FLIGHT = 4
const TIMEOUT_MS = 30_000
/** Version 12 is the last that names topics. */
const REQUEST = { timeoutMs: TIMEOUT_MS, maxVersion: 12 }
const NOT_LEADER = 6

export interface Seed {
  readonly topic: string
  readonly partitions: number
  readonly valueBytes: number
  readonly compression: Compression
  readonly messages: number
  /** To each partition, however few messages that needs. Default: 1. */
  readonly batches?: number
}

/** Fills a topic evenly, with at least this many messages: what consumers read. */
export async function fill(place: Place, seed: Seed, signal: AbortSignal): Promise<void> {
  const { topic, partitions, valueBytes, compression, messages, batches: least = 1 } = seed
  const values = valuesOf(valueBytes)
  const perBatch = Math.max(1, Math.min(values.length, Math.floor(BATCH_BYTES / valueBytes)))
  const records = values
    .slice(0, perBatch)
    // Of now: the broker deletes what is a week old.
    .map((value) => new OutgoingRecord(null, value, Date.now()))
  const batch = encodeBatch(records, { compression })
  const wanted = Math.max(least, Math.ceil(messages / perBatch / partitions))
  const rounds = place.isNull ? 1 : wanted
  const batches = rounds * partitions
  const leaders = new Leaders(place.hosts, topic)
  let sent = 0
  /** False where a new topic's leader doesn't know yet that it is one, or it is another one now. */
  const append = async (index: number, body: ProduceRequest): Promise<boolean> => {
    const broker = await leaders.of(index)
    const answer = await broker?.request(produce, body, REQUEST)
    const errorCode = answer?.responses[0]!.partitionResponses[0]!.errorCode ?? NOT_LEADER
    if (errorCode === NOT_LEADER) leaders.forget()
    if (errorCode !== 0 && errorCode !== NOT_LEADER) {
      throw new Error(`Filling ${topic} failed with code ${errorCode}`)
    }
    return errorCode === 0
  }
  const worker = async (): Promise<void> => {
    while (sent < batches) {
      signal.throwIfAborted()
      const index = sent++ % partitions
      const body = {
        acks: 1,
        timeoutMs: TIMEOUT_MS,
        topicData: [{ name: topic, partitionData: [{ index, records: batch }] }],
      }
      await waitFor(async () => ((await append(index, body)) ? true : undefined), {
        timeoutMs: TIMEOUT_MS,
        signal,
        onTimeout: () => new Error(`${topic} has no leader that takes messages`),
      })
    }
  }
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  } finally {
    await leaders.close()
  }
}

/** The brokers that lead the partitions of a topic. */
class Leaders {
  readonly #hosts: string
  readonly #topic: string
  readonly #brokers = new Map<string, Broker>()
  #leaders: Promise<readonly (string | undefined)[]> | undefined

  constructor(hosts: string, topic: string) {
    this.#hosts = hosts
    this.#topic = topic
  }

  /** Undefined while it has none. */
  async of(partition: number): Promise<Broker | undefined> {
    this.#leaders ??= leadersOf(this.#hosts, this.#topic)
    const address = (await this.#leaders)[partition]
    if (address === undefined) return undefined
    let broker = this.#brokers.get(address)
    if (broker === undefined) {
      broker = new Broker(-1, parseHosts(address)[0]!, clusterOptions({}).broker)
      this.#brokers.set(address, broker)
    }
    return broker
  }

  /** The next one to ask looks them up again. */
  forget(): void {
    this.#leaders = undefined
  }

  async close(): Promise<void> {
    await Promise.all([...this.#brokers.values()].map((broker) => broker.close()))
  }
}
