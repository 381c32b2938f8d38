import { beforeAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { hostsOf, runBroker } from '../support/broker-command.ts'
import { builtCommand } from '../support/built.ts'
import type { RunningCommand } from '../support/running-command.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

function broker(dataDir: string): RunningCommand {
  return runBroker('--port', '0', '--data', dataDir, '--topic', 't')
}

describe('a data folder in use', () => {
  beforeAll(() => void builtCommand())

  it('is refused to a second cluster of this process, until the first has stopped', async () => {
    using folder = new TemporaryFolder()
    const first = await EmbeddedCluster.start({ dataDir: folder.path })
    const second = EmbeddedCluster.start({ dataDir: folder.path })
    await expect(second).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      message: `${folder.path} is used by process ${process.pid}: end that, or take another folder`,
    })
    await first.stop()
    await using third = await EmbeddedCluster.start({ dataDir: folder.path })
    expect(third.topics).toEqual([])
  })

  it('is refused to another process; what was acknowledged is there after kill -9', async () => {
    using folder = new TemporaryFolder()
    const acknowledged: string[] = []
    {
      await using running = broker(folder.path)
      const hosts = await hostsOf(running)
      await expect(EmbeddedCluster.start({ dataDir: folder.path })).rejects.toThrow(
        `is used by process ${running.pid}`,
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

  it.each([
    ['a process that is no more', () => `${spawnSync('true').pid} 1\n`],
    ['this process number in another life', () => `${process.pid} 1\n`],
    ['nobody that could be read', () => 'half a li'],
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
