/** The files of a new project. */
import { VERSION } from '../../version.ts'

/** Relative to the other folders of the project. */
const SRC = '../src'

const WORDS = `import { ReliableSpout, stream } from 'samsa/storm'

const SENTENCES = ['the cow jumped over the moon', 'an apple a day', 'four score and seven']

const sentences = { default: stream<{ sentence: string }>('sentence') }

/** Emits a sentence at each call, and again if it fails. */
export class Sentences extends ReliableSpout<typeof sentences> {
  static readonly outputs = sentences
  #next = 0

  override nextTuple() {
    const id = this.#next++
    this.emit({ sentence: SENTENCES[id % SENTENCES.length]! }, { id })
  }
}
`

const split = (
  field: string,
  type: string,
): string => `import { Bolt, stream, type Tuple } from 'samsa/storm'

const words = { default: stream<{ word: string }>('word') }

/** Emits each word of a tuple. */
export class Split extends Bolt<{ ${field}: ${type} }, typeof words> {
  static readonly outputs = words

  override process({ fields: { ${field} } }: Tuple<{ ${field}: ${type} }>) {
    const found = ${field}${type.includes('null') ? '?' : ''}.toLowerCase().match(/\\w+/g) ?? []
    for (const word of found) this.emit({ word })
  }
}
`

const count = (
  isForKafka: boolean,
): string => `import { Bolt, stream, type Tuple } from 'samsa/storm'

const counts = { default: stream<{ ${isForKafka ? 'key: string; value: number' : 'word: string; count: number'} }>(${isForKafka ? "'key', 'value'" : "'word', 'count'"}) }

/** Counts words. All tuples with the same word go to the same task. */
export class Count extends Bolt<{ word: string }, typeof counts> {
  static readonly outputs = counts
  readonly #counts = new Map<string, number>()

  override process({ fields: { word } }: Tuple<{ word: string }>) {
    const count = (this.#counts.get(word) ?? 0) + 1
    this.#counts.set(word, count)
    ${isForKafka ? '' : 'if (count % 1000 === 0) '}this.logger.info(\`\${word}: \${count}\`)
    this.emit(${isForKafka ? '{ key: word, value: count }' : '{ word, count }'})
  }
}
`

const PLAIN_TOPOLOGY = `import { defineTopology, fields, runTopology } from 'samsa/storm'
import { Count } from '${SRC}/count.ts'
import { Sentences } from '${SRC}/sentences.ts'
import { Split } from '${SRC}/split.ts'

const topology = defineTopology({
  name: 'wordcount',
  spouts: { sentences: { component: Sentences } },
  bolts: {
    split: { component: Split, inputs: ['sentences'] },
    count: { component: Count, inputs: { split: fields('word') }, parallelism: 2 },
  },
  config: { 'topology.max.spout.pending': 500 },
})

runTopology(topology)
`

const KAFKA_TOPOLOGY = `import { defineTopology, fields, KafkaBolt, KafkaSpout, runTopology } from 'samsa/storm'
import { Count } from '${SRC}/count.ts'
import { Split } from '${SRC}/split.ts'

const client = { hosts: process.env.KAFKA ?? '127.0.0.1:9092' }

const topology = defineTopology({
  name: 'wordcount',
  spouts: {
    sentences: {
      component: KafkaSpout,
      args: [{ client, topic: 'sentences', consumerGroup: 'wordcount', consumer: { autoOffsetReset: 'earliest' } }],
    },
  },
  bolts: {
    split: { component: Split, inputs: ['sentences'] },
    count: { component: Count, inputs: { split: fields('word') }, parallelism: 2 },
    counts: { component: KafkaBolt, args: [{ client, topic: 'word-counts' }], inputs: ['count'] },
  },
  config: { 'topology.max.spout.pending': 500 },
})

runTopology(topology)
`

const TEST = `import assert from 'node:assert'
import { test } from 'node:test'
import { testBolt } from 'samsa/storm'
import { Count } from '${SRC}/count.ts'

test('counts a word', async () => {
  const bolt = await testBolt(Count)
  await bolt.process({ word: 'cow' })
  const { emitted, acked } = await bolt.process({ word: 'cow' })
  assert.deepEqual(emitted[0]?.values, ['cow', 2])
  assert.deepEqual(acked, ['2'])
})
`

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
  },
  include: ['src', 'topologies', 'test'],
}

const CONFIG = {
  topology_specs: 'topologies',
  envs: {
    prod: {
      nimbus: '',
      workers: [],
      log: { level: 'info' },
      options: {},
    },
  },
}

/** The contents by path. */
export function projectFiles(name: string, isForKafka: boolean): Readonly<Record<string, string>> {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
  const manifest = {
    name: name.toLowerCase(),
    private: true,
    type: 'module',
    scripts: { start: 'sparse run', test: 'tsx --test test/*.test.ts', typecheck: 'tsc' },
    dependencies: { samsa: `^${VERSION}` },
    devDependencies: {
      '@types/node': '^20.19.0',
      esbuild: '^0.28.0',
      tsx: '^4.23.0',
      typescript: '^5.9.0 || ^6.0.0',
    },
  }
  return {
    'package.json': json(manifest),
    'tsconfig.json': json(TSCONFIG),
    '.gitignore': 'node_modules\n*.jar\n',
    'config.json': json(CONFIG),
    'topologies/wordcount.ts': isForKafka ? KAFKA_TOPOLOGY : PLAIN_TOPOLOGY,
    ...(isForKafka ? {} : { 'src/sentences.ts': WORDS }),
    'src/split.ts': isForKafka ? split('value', 'string | null') : split('sentence', 'string'),
    'src/count.ts': count(isForKafka),
    'test/count.test.ts': TEST,
  }
}
