import { beforeAll, describe, expect, it } from '@jest/globals'
import { Reader } from '../../protocol/buffer/reader.ts'
import { Writer } from '../../protocol/buffer/writer.ts'
import { describeError, ErrorCode } from '../../protocol/errors.ts'
import type { MessageSchema } from '../../protocol/schema/api.ts'
import type { Fields } from '../../protocol/schema/fields.ts'
import { disagreement, parseKafkaJson } from './support/agreement.ts'
import { readDefinitions, validVersions, versionsIn } from './support/definitions.ts'
import {
  clientJar,
  clientJars,
  KAFKA_VERSIONS,
  missingForKafkasOwn,
  type KafkaVersion,
} from './support/jars.ts'
import { KafkaCodec, STYLES } from './support/kafka-codec.ts'
import type { Answer } from './support/run-java.ts'
import { declaredMessages, nameIn } from './support/messages.ts'
import { RENAMED_FIELDS } from './support/known-differences.ts'
import { randomMessage } from './support/random-message.ts'
import { Random } from './support/random.ts'

/**
 * Every message in every version, back and forth between our codec and Kafka's own.
 * SAMSA_ROUND_TRIPS sets how many random ones of each there are, SAMSA_SEED where they begin.
 */

const ROUND_TRIPS = Number(process.env['SAMSA_ROUND_TRIPS'] ?? 20)
const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 2 ** 31)
const TIMEOUT_MS = 600_000 + ROUND_TRIPS * 1000
const BATCH = 25
const SHOWN = 20

interface Combination {
  readonly name: string
  /** Kafka's class for it. */
  readonly className: string
  readonly message: MessageSchema<Fields>
  readonly version: number
}

const missing = missingForKafkasOwn("the round trips through Kafka's own codec", { java: true })
const describeWithJava = missing === undefined ? describe : describe.skip

describeWithJava(`what Kafka's own codec writes and reads (SAMSA_SEED=${SEED})`, () => {
  /** The newest Kafka takes all the versions it has; what it has dropped, the older one takes. */
  const combinations = new Map<KafkaVersion, Combination[]>()

  beforeAll(async () => {
    const taken = new Set<string>()
    for (const kafka of KAFKA_VERSIONS) {
      const definitions = readDefinitions(await clientJar(kafka))
      const found: Combination[] = []
      for (const [name, message] of declaredMessages) {
        const definition = definitions.get(nameIn(kafka, name))
        if (definition === undefined) continue
        const className = definition.type === 'data' ? definition.name : `${definition.name}Data`
        for (const version of validVersions(definition)) {
          const key = `${name} v${version}`
          if (!taken.has(key)) found.push({ name, className, message, version })
          taken.add(key)
        }
      }
      combinations.set(kafka, found)
    }
  })

  it('includes every version of every message', () => {
    const tried = [...combinations.values()]
      .flat()
      .map(({ name, version }) => `${name} v${version}`)
    const declared = [...declaredMessages].flatMap(([name, { versions }]) =>
      versionsIn(versions).map((version) => `${name} v${version}`),
    )
    expect(tried.sort()).toEqual(declared.sort())
  })

  it.each(KAFKA_VERSIONS)(
    'includes messages that it creates: Kafka %s',
    async (kafka) => {
      let seed = SEED
      await inBatches(STYLES.random + ROUND_TRIPS, async (styles) => {
        const codec = new KafkaCodec()
        const tried: [Combination, string][] = []
        for (const combination of combinations.get(kafka)!) {
          for (const style of styles) {
            codec.generate(combination.className, combination.version, style, ++seed)
            tried.push([combination, `style ${style}, seed ${seed}`])
          }
        }
        return (await codec.run(kafka)).map((answer, index) => {
          const [combination, how] = tried[index]!
          return problemOf(combination, how, readsAs(combination, answer))
        })
      })
    },
    TIMEOUT_MS,
  )

  it.each(KAFKA_VERSIONS)(
    'includes messages that samsa creates: Kafka %s',
    async (kafka) => {
      let seed = SEED
      await inBatches(ROUND_TRIPS, async (rounds) => {
        const codec = new KafkaCodec()
        const tried: [Combination, string, Buffer][] = []
        for (const combination of combinations.get(kafka)!) {
          const { className, message, version } = combination
          for (const round of rounds) {
            const value = randomMessage(message, version, new Random(++seed))
            const bytes = encode(message, version, value)
            codec.echo(className, version, bytes)
            tried.push([combination, `round ${round}, seed ${seed}`, bytes])
          }
        }
        return (await codec.run(kafka)).map((answer, index) => {
          const [combination, how, bytes] = tried[index]!
          const problem = answer.ok ? difference(bytes, answer.bytes) : answer.problem
          return problemOf(combination, how, problem)
        })
      })
    },
    TIMEOUT_MS,
  )

  it('includes the error codes of the newest Kafka', async () => {
    await clientJars('4.4.0')
    const codec = new KafkaCodec()
    codec.errors()
    const [answer] = await codec.run('4.4.0')
    const theirs = answer?.ok === true ? answer.text.split('\n').slice(0, -1) : [answer?.problem]
    const ours = Object.values(ErrorCode).map((code, index) => {
      const { name, retriable, invalidMetadata, recovery } = describeError(code)
      // Kafka leaves many errors out of its groups.
      const isInGroup = theirs[index]?.endsWith('\t') === false
      return [code, name, retriable, invalidMetadata, isInGroup ? recovery : ''].join('\t')
    })
    expect(ours).toEqual(theirs)
  })
})

/** Long runs go through several JVMs, as the messages of each are held in memory. */
async function inBatches(
  rounds: number,
  run: (rounds: readonly number[]) => Promise<(string | undefined)[]>,
): Promise<void> {
  const all = Array.from({ length: rounds }, (_, round) => round)
  for (let start = 0; start < rounds; start += BATCH) {
    const outcomes = await run(all.slice(start, start + BATCH))
    const problems = outcomes.filter((outcome) => outcome !== undefined)
    expect(problems.slice(0, SHOWN)).toEqual([])
  }
}

function problemOf(
  { name, version }: Combination,
  how: string,
  problem: string | undefined,
): string | undefined {
  return problem === undefined ? undefined : `${name} v${version}, ${how}: ${problem}`
}

function readsAs({ name, message, version }: Combination, answer: Answer): string | undefined {
  if (!answer.ok) return answer.problem
  const reader = new Reader(answer.bytes)
  const decoded = message.decode(reader, version)
  if (reader.remaining > 0) return `${reader.remaining} bytes follow the last field`
  const json = ourNames(name, answer.text)
  return (
    difference(answer.bytes, encode(message, version, decoded)) ??
    disagreement(message.fields, decoded, parseKafkaJson(json))
  )
}

/** Kafka's JSON with our names for the fields that we renamed. */
function ourNames(message: string, json: string): string {
  let text = json
  for (const [name, kafkas, ours] of RENAMED_FIELDS) {
    const last = (path: string) => path.split('.').at(-1)!
    if (name === message) text = text.replaceAll(`"${last(kafkas)}":`, `"${last(ours)}":`)
  }
  return text
}

function difference(expected: Buffer, actual: Buffer): string | undefined {
  if (expected.equals(actual)) return undefined
  return `written back as ${actual.toString('hex')}, it was ${expected.toString('hex')}`
}

function encode(
  message: MessageSchema<Fields>,
  version: number,
  value: Record<string, unknown>,
): Buffer {
  const writer = new Writer()
  message.encode(writer, version, value)
  return Buffer.concat(writer.finish())
}
