/**
 * What pykafka 2.8.0 does and what samsa does, case by case on the same brokers: test/pykafka/scenario.py and its port in
 * test/pykafka/scenario. `npm run test:pykafka` runs all cases on three versions of Kafka; `npm test` those that are
 * fast, on one.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DIFFERENCES, differenceOf, LONG, SINCE, SLOW } from '../pykafka/differences.ts'
import { KafkaClient } from '../../src/index.ts'
import { CASES, runScenario, type Outcome } from '../pykafka/scenario/index.ts'
import { examplesOf } from '../support/documents/examples.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { runPython } from '../support/pykafka/install.ts'
import { describeWithBrokers, isAtLeast } from '../support/real-brokers.ts'

const START_TIMEOUT_MS = 120_000
const SCENARIO_TIMEOUT_MS = 600_000
const FOLDER = join(__dirname, '..', 'pykafka')
const SCENARIO = join(FOLDER, 'scenario.py')
/** The programs of pykafka in the guide, which take time stamps and groups of Kafka. */
const GUIDE = { document: 'docs/from-pykafka.md', script: join(FOLDER, 'guide.py'), since: '0.10' }
const [PYKAFKA, SAMSA] = ['of-pykafka-', 'of-samsa-'] as const

const isWhole = process.env['SAMSA_PYKAFKA'] === 'all'
const VERSIONS = isWhole ? ['0.8.2.2', '1.1.1', '2.8.2'] : ['1.1.1']

function casesOn(version: string): readonly string[] {
  const rest = Object.keys(CASES).filter((name) => !LONG.includes(name))
  return [...LONG, ...rest].filter((name) => {
    const since = SINCE[name] ?? (name.startsWith('managed/') ? '0.9' : '0.8')
    return isAtLeast(version, since) && (isWhole || !SLOW.has(name))
  })
}

async function runPykafka(
  kafka: KafkaCluster,
  names: readonly string[],
): Promise<ReadonlyMap<string, Outcome>> {
  const { hosts, zookeeperHosts, version } = kafka
  const lines = await runPython([SCENARIO, hosts, zookeeperHosts!, version, PYKAFKA, ...names])
  return new Map(
    lines.map((line) => {
      const { case: name, outcome } = JSON.parse(line) as { case: string; outcome: Outcome }
      return [name, outcome]
    }),
  )
}

interface ProgramOutcome {
  readonly code: string
  readonly printed: readonly string[]
  readonly error: string | null
}

async function runGuide(kafka: KafkaCluster): Promise<readonly ProgramOutcome[]> {
  if (!isAtLeast(kafka.version, GUIDE.since)) return []
  const { hosts, zookeeperHosts, version } = kafka
  const programs = examplesOf(GUIDE.document)
    .filter(({ language }) => language === 'python')
    .map(({ code }) => code)
  const input = JSON.stringify(programs)
  const lines = await runPython([GUIDE.script, hosts, zookeeperHosts!, version], input)
  return lines.map((line, index) => ({
    ...(JSON.parse(line) as Omit<ProgramOutcome, 'code'>),
    code: programs[index]!,
  }))
}

/** Without what the names of topics begin with. */
function comparable(outcome: Outcome | undefined, prefix: string): unknown {
  if (outcome === undefined) return 'NOT RUN'
  return JSON.parse(JSON.stringify(outcome).replaceAll(prefix, '')) as unknown
}

describeWithBrokers("pykafka's scenario and its port", ['java', 'pykafka'], () => {
  it('has the public names of the installed pykafka in public-names.json', async () => {
    const lines = await runPython([join(FOLDER, 'public_names.py')])
    const listed = await readFile(join(FOLDER, 'public-names.json'), 'utf8')
    expect(JSON.parse(listed)).toEqual(JSON.parse(lines.join('\n')))
  })

  it('lists no difference in a case that does not exist', () => {
    const names = Object.keys(CASES)
    expect(Object.keys(DIFFERENCES).filter((name) => !names.includes(name))).toEqual([])
    expect(
      [...SLOW, ...LONG, ...Object.keys(SINCE)].filter((name) => !names.includes(name)),
    ).toEqual([])
    expect(names.length).toBeGreaterThanOrEqual(71)
  })

  describe.each(VERSIONS)('on Kafka %s', (version) => {
    let kafka: KafkaCluster
    let pykafka: ReadonlyMap<string, Outcome>
    let samsa: ReadonlyMap<string, Outcome>
    let programs: readonly ProgramOutcome[]

    beforeAll(async () => {
      const config = { 'num.partitions': '2', 'offsets.topic.num.partitions': '4' }
      // Everything that knows only ZooKeeper knows it with this chroot.
      kafka = await startKafka({ version, config, zookeeperChroot: '/kafka' })
    }, START_TIMEOUT_MS)
    beforeAll(async () => {
      // A Kafka 0.8 without a topic tells pykafka of no brokers.
      await using client = new KafkaClient({ hosts: kafka.hosts })
      await (await client.topic('first').getProducer()).close()
      const names = casesOn(version)
      // At once: most of the time both wait.
      ;[pykafka, samsa, programs] = await Promise.all([
        runPykafka(kafka, names),
        runScenario(kafka.hosts, kafka.zookeeperHosts!, SAMSA, names),
        runGuide(kafka),
      ])
    }, SCENARIO_TIMEOUT_MS)
    afterAll(() => kafka.stop())

    if (isAtLeast(version, GUIDE.since)) {
      it("runs the guide's thirty programs of pykafka to their end, and they print", () => {
        expect(programs).toHaveLength(30)
        expect(programs.filter(({ error }) => error !== null)).toEqual([])
        const silent = programs.filter(({ printed }) => printed.length === 0)
        expect(silent.filter(({ code }) => code.includes('print('))).toEqual([])
      })
    }

    it.each(casesOn(version))('%s: has the outcome of pykafka, or a listed difference', (name) => {
      const [theirs, ours] = [
        comparable(pykafka.get(name), PYKAFKA),
        comparable(samsa.get(name), SAMSA),
      ]
      const difference = differenceOf(name, version)
      if (difference === undefined) {
        expect({ samsa: ours }).toEqual({ samsa: theirs })
        return
      }
      // Where pykafka comes to behave the same, the difference is to be deleted from the list.
      const { pykafka: listed, samsa: wanted } = difference
      expect({ pykafka: theirs, samsa: ours }).toEqual({ pykafka: listed, samsa: wanted })
      expect(theirs).not.toEqual(ours)
    })
  })
})
