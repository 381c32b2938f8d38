import { beforeAll, describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { encodeMessageSet } from '../../protocol/records/message-set.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { clientJars, KAFKA_VERSIONS, missingForKafkasOwn } from './support/jars.ts'
import { KafkaRecords } from './support/kafka-records.ts'
import { asItIsRead, linesOf, linesReadFrom, type BatchOrder } from './support/plain-batch.ts'
import { compressionsOf, MAGICS, randomOrder, randomOrderOfOurs } from './support/random-batch.ts'
import { Random } from './support/random.ts'
import type { Answer } from './support/run-java.ts'

/**
 * Record batches and message sets, back and forth between our codec and Kafka's own.
 * SAMSA_ROUND_TRIPS sets how many of each format and codec there are, SAMSA_SEED where they begin.
 */

const ROUND_TRIPS = Number(process.env['SAMSA_ROUND_TRIPS'] ?? 20)
const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 2 ** 31)
const TIMEOUT_MS = 600_000 + ROUND_TRIPS * 1000
/** Long runs go through several JVMs, as what each says is held in memory. */
const BATCH = 25
const SHOWN = 5

const missing = missingForKafkasOwn("the records through Kafka's own classes", { java: true })
const describeWithJava = missing === undefined ? describe : describe.skip

const kinds = MAGICS.flatMap((magic) =>
  compressionsOf(magic).map((compression) => ({ magic, compression })),
)

describeWithJava(`what Kafka's own classes write and read (SAMSA_SEED=${SEED})`, () => {
  beforeAll(async () => {
    for (const kafka of KAFKA_VERSIONS) await clientJars(kafka)
  })

  describe.each(KAFKA_VERSIONS)('Kafka %s', (kafka) => {
    it(
      'includes all formats and codecs that it writes, several in one buffer',
      () =>
        inRounds(async (seeds) => {
          const java = new KafkaRecords()
          const tried = seeds.map((seed) => {
            const random = new Random(seed)
            const others = Array.from({ length: random.below(4) }, () => random.pick(kinds))
            const orders = [kinds[seed % kinds.length]!, ...others].map(({ magic, compression }) =>
              randomOrder(random, magic, compression),
            )
            java.write(orders)
            return { seed, orders }
          })
          return (await java.run(kafka)).map((answer, index) => {
            const { seed, orders } = tried[index]!
            return problemOf(seed, answer, (bytes, itsReading) => {
              const ours = linesReadFrom(bytes)
              return (
                difference('we read', ours, itsReading) ??
                difference('asked for', linesOf(orders.map(asItIsRead)), ours)
              )
            })
          })
        }),
      TIMEOUT_MS,
    )

    it(
      'includes all formats and codecs that samsa writes',
      () =>
        inRounds(async (seeds) => {
          const java = new KafkaRecords()
          const tried = seeds.map((seed) => {
            const random = new Random(seed)
            const { magic, compression } = kinds[seed % kinds.length]!
            const order = randomOrderOfOurs(random, magic, compression)
            java.read(encode(order, random.chance(2)))
            return { seed, order }
          })
          return (await java.run(kafka)).map((answer, index) => {
            const { seed, order } = tried[index]!
            return problemOf(seed, answer, (_, itsReading) =>
              difference('it reads', itsReading, linesOf([asItIsRead(order)])),
            )
          })
        }),
      TIMEOUT_MS,
    )

    it(
      "has the same bytes as samsa's, uncompressed",
      () =>
        inRounds(async (seeds) => {
          const java = new KafkaRecords()
          const tried = seeds.map((seed) => {
            const random = new Random(seed)
            const order = randomOrderOfOurs(random, MAGICS[seed % MAGICS.length]!, 'none')
            java.write([order])
            return { seed, ours: encode(order, random.chance(2)) }
          })
          return (await java.run(kafka)).map((answer, index) => {
            const { seed, ours } = tried[index]!
            return problemOf(seed, answer, (bytes) =>
              difference('our bytes', ours.toString('hex'), bytes.toString('hex')),
            )
          })
        }),
      TIMEOUT_MS,
    )
  })
})

/** By our encoder; text may be given to it as such. */
function encode(order: BatchOrder, asText: boolean): Buffer {
  const given = (data: Buffer | null) => {
    const text = asText ? data?.toString() : undefined
    return text !== undefined && data?.equals(Buffer.from(text)) ? text : data
  }
  const records = order.records.map(
    ({ key, value, timestamp, headers }) =>
      new OutgoingRecord(
        given(key),
        given(value),
        timestamp,
        headers.map((header) => ({ key: header.key, value: given(header.value) })),
      ),
  )
  const { magic, compression, baseOffset, leaderEpoch, ...options } = order
  return magic === 2
    ? encodeBatch(records, {
        ...options,
        compression,
        baseOffset: BigInt(baseOffset),
        partitionLeaderEpoch: leaderEpoch,
      })
    : encodeMessageSet(records, magic, compression)
}

async function inRounds(
  run: (seeds: readonly number[]) => Promise<(string | undefined)[]>,
): Promise<void> {
  for (let start = 0; start < ROUND_TRIPS; start += BATCH) {
    const count = Math.min(BATCH, ROUND_TRIPS - start) * kinds.length
    const first = SEED + start * kinds.length
    const outcomes = await run(Array.from({ length: count }, (_, index) => first + index))
    const problems = outcomes.filter((outcome) => outcome !== undefined)
    expect(problems.slice(0, SHOWN)).toEqual([])
  }
}

function problemOf(
  seed: number,
  answer: Answer,
  find: (bytes: Buffer, text: string) => string | undefined,
): string | undefined {
  if (!answer.ok) return `seed ${seed}: ${answer.problem}`
  const problem = find(answer.bytes, answer.text)
  return problem === undefined ? undefined : `seed ${seed}: ${problem}`
}

/** The first line that differs, the surroundings of the place where it does. */
function difference(what: string, found: string, expected: string): string | undefined {
  if (found === expected) return undefined
  const foundLines = found.split('\n')
  const expectedLines = expected.split('\n')
  const line = foundLines.findIndex((text, index) => text !== expectedLines[index])
  const here = foundLines[line] ?? ''
  const there = expectedLines[line] ?? ''
  let at = 0
  while (at < here.length && here[at] === there[at]) at++
  const excerpt = (text: string) =>
    `${text.slice(0, 60)} … ${text.slice(Math.max(60, at - 20), at + 60)}`
  return `${what} in line ${line}, at ${at}: ${excerpt(here)}\ninstead of ${excerpt(there)}`
}
