import { describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import type { SimpleConsumerOptions } from '../../src/index.ts'
import { runCommand } from '../support/run-command.ts'
import { produceTo, rawClientOf } from './support/requests.ts'

const MIB = 1024 * 1024
const PARTITIONS = 16
const BATCHES = 3
/** More than are decoded at once, so that a batch is not done with when its partition's turn ends. */
const RECORDS = 12_000
const VALUE = Buffer.alloc(2 * 1024)

interface Result {
  readonly count: number
  readonly grownBytes: number
}

async function read(hosts: string, topic: string, options: SimpleConsumerOptions): Promise<Result> {
  const node = ['--import', 'tsx', '--max-old-space-size=64', 'test/support/hostile/reader.ts']
  const args = [...node, hosts, topic, JSON.stringify(options)]
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, args)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout.toString()) as Result
}

describe('memory for small batches that decompress to large ones', () => {
  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'is bounded over all partitions, not for each of them (%s)',
    async (compression) => {
      await using kafka = await EmbeddedCluster.start({
        topics: { t: { partitions: PARTITIONS, config: { 'max.message.bytes': '2000000' } } },
      })
      using raw = await rawClientOf(kafka)
      const records = Array.from({ length: RECORDS }, () => new OutgoingRecord(null, VALUE, 0))
      const batch = encodeBatch(records, { compression })
      for (let i = 0; i < BATCHES; i++) {
        for (let partition = 0; partition < PARTITIONS; partition++) {
          expect(await produceTo(raw, 't', partition, batch)).toMatchObject({ errorCode: 0 })
        }
      }
      const { count, grownBytes } = await read(kafka.hosts, 't', { queuedMaxBytes: 48 * MIB })
      expect(count).toBe(PARTITIONS * BATCHES * RECORDS)
      // 16 partitions of one batch each would be 375 MiB. One at a time is 23 MiB, and as much again where zlib joins
      // the parts; the rest is for the garbage collector, which is not asked to hurry.
      expect(grownBytes).toBeLessThan(260 * MIB)
    },
    120_000,
  )
})
