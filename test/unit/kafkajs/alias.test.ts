import { beforeAll, describe, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { builtCommand } from '../../support/built.ts'

const ALIAS = 'packages/kafkajs'

/** The parts of the module by which instrumentations recognize kafkajs. */
const PROGRAM = `
const { Kafka, KafkaJSError } = require('kafkajs')
const kafka = new Kafka({ brokers: ['127.0.0.1:1'], logLevel: 0 })
const producer = kafka.producer()
const consumer = kafka.consumer({ groupId: 'g' })
const isWritable = (object, name) => Object.getOwnPropertyDescriptor(object, name).writable
console.log(JSON.stringify({
  methods: Object.getOwnPropertyNames(Kafka.prototype).sort(),
  producer: ['send', 'sendBatch', 'transaction'].map((name) => isWritable(producer, name)),
  consumer: isWritable(consumer, 'run'),
  error: new KafkaJSError('x').name,
  version: require('kafkajs/package.json').version,
}))
`

describe('the package for npm aliases', () => {
  beforeAll(() => {
    builtCommand()
  })

  it('is kafkajs to programs that require it, and to instrumentations that patch it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'samsa-alias-'))
    try {
      await mkdir(join(folder, 'node_modules'))
      await cp(ALIAS, join(folder, 'node_modules/kafkajs'), { recursive: true })
      await symlink(resolve('.'), join(folder, 'node_modules/samsa'))
      const run = promisify(execFile)
      const { stdout } = await run(process.execPath, ['-e', PROGRAM], { cwd: folder })
      expect(JSON.parse(stdout)).toEqual({
        methods: ['admin', 'constructor', 'consumer', 'logger', 'producer'],
        producer: [true, true, true],
        consumer: true,
        error: 'KafkaJSError',
        version: expect.stringMatching(/^2\./),
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('exports each name of kafkajs to require, and to import by name', async () => {
    const text = await readFile(join(ALIAS, 'index.js'), 'utf8')
    const named = [...text.matchAll(/^exports\.(\w+) = /gm)].map(([, name]) => name)
    expect(named.sort()).toEqual(Object.keys(kafkajs).sort())
  })

  it('depends on the version of samsa that it is published beside', async () => {
    const own: unknown = JSON.parse(await readFile(join(ALIAS, 'package.json'), 'utf8'))
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
    expect(own).toMatchObject({ dependencies: { samsa: `^${version}` } })
  })
})
