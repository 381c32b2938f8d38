import { beforeAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { hostsOf, runBroker } from '../support/broker-command.ts'
import { builtCommand } from '../support/built.ts'
import type { RunningCommand } from '../support/running-command.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { LockRacers } from './support/lock-racers.ts'

function broker(dataDir: string): RunningCommand {
  return runBroker('--port', '0', '--data', dataDir, '--topic', 't')
}

function endedProcess(): number {
  return spawnSync('true').pid
}

describe('a data folder in use', () => {
  beforeAll(() => void builtCommand())

  it('is refused to a second cluster of this process until the first has stopped', async () => {
    using folder = new TemporaryFolder()
    const first = await EmbeddedCluster.start({ dataDir: folder.path })
    const second = EmbeddedCluster.start({ dataDir: folder.path })
    await expect(second).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      message: `process ${process.pid} uses ${folder.path}: end this process, or use another folder`,
    })
    await first.stop()
    await using third = await EmbeddedCluster.start({ dataDir: folder.path })
    expect(third.topics).toEqual([])
  })

  it('is refused to another process; what was acknowledged is still stored after kill -9', async () => {
    using folder = new TemporaryFolder()
    const acknowledged: string[] = []
    {
      await using running = broker(folder.path)
      const hosts = await hostsOf(running)
      await expect(EmbeddedCluster.start({ dataDir: folder.path })).rejects.toThrow(
        `process ${running.pid} uses `,
      )
      await using client = new KafkaClient({ hosts })
      const producer = await client.topic('t').getProducer()
      const sending = Array.from({ length: 5_000 }, async (_, index) => {
        await producer.produce(String(index))
        acknowledged.push(String(index))
        if (acknowledged.length === 2_000) running.kill('SIGKILL')
      })
      await running.ended
      // What is left can't be delivered any more.
      await producer.close({ timeoutMs: 1 }).catch(() => undefined)
      await Promise.allSettled(sending)
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(2_000)
    expect(existsSync(join(folder.path, 'lock'))).toBe(true)
    await using kafka = await EmbeddedCluster.start({ dataDir: folder.path })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const consumer = await client
      .topic('t')
      .getSimpleConsumer({ autoOffsetReset: 'earliest', stopAtEnd: true })
    const read = new Set<string>()
    for await (const { value } of consumer) read.add(String(value))
    expect(acknowledged.filter((value) => !read.has(value))).toEqual([])
  })

  it('belongs to exactly one of several processes that start at the same time', async () => {
    using folder = new TemporaryFolder()
    await using racers = await LockRacers.start(folder.path, 4)
    const deadClaim = `lock.${endedProcess()}.1.00000000-0000-4000-8000-000000000000`
    const leftBehind: Record<string, Readonly<Record<string, string>>> = {
      nothing: {},
      'a stale lock': { lock: `${endedProcess()} 1\n` },
      'a stale claim': {
        lock: `${endedProcess()} 1 00000000-0000-4000-8000-000000000000\n`,
        [deadClaim]: '',
      },
    }
    for (const [name, files] of Object.entries(leftBehind)) {
      for (let round = 0; round < 60; round++) {
        const raced = join(folder.path, `${name} ${round}`.replaceAll(' ', '-'))
        mkdirSync(raced)
        for (const [file, text] of Object.entries(files)) writeFileSync(join(raced, file), text)
        const results = await racers.race(raced)
        expect({ name, round, results: [...results].sort() }).toEqual({
          name,
          round,
          results: ['held', 'refused', 'refused', 'refused'],
        })
        await racers.release()
        expect(readdirSync(raced)).toEqual([])
      }
    }
  })

  it('stays with its holder while other processes keep requesting it', async () => {
    using folder = new TemporaryFolder()
    await using racers = await LockRacers.start(folder.path, 3)
    await using kafka = await EmbeddedCluster.start({ dataDir: join(folder.path, 'data') })
    for (let round = 0; round < 20; round++) {
      const results = await racers.race(join(folder.path, 'data'))
      expect(results).toEqual(['refused', 'refused', 'refused'])
    }
    expect(kafka.topics).toEqual([])
  })

  it.each([
    ['a process that is no more', () => `${endedProcess()} 1\n`],
    ['this process number in another life', () => `${process.pid} 1\n`],
    ['a holder that is gone with its claim', () => `${endedProcess()} 1 some-id\n`],
    ['a process id that cannot be read', () => 'half a li'],
  ])('is taken over from %s', async (_name, lock) => {
    using folder = new TemporaryFolder()
    writeFileSync(join(folder.path, 'lock'), lock())
    await using kafka = await EmbeddedCluster.start({ dataDir: folder.path })
    expect(kafka.topics).toEqual([])
    expect(existsSync(join(folder.path, 'lock'))).toBe(true)
    await kafka.stop()
    expect(existsSync(join(folder.path, 'lock'))).toBe(false)
  })
})
