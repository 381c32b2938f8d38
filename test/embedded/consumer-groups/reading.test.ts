/** Groups by the protocol of KIP-848 on the embedded cluster: the ways of reading, while partitions change hands. */
import { describe, expect, it } from '@jest/globals'
import { deferred } from '../../../src/async/deferred.ts'
import type { BalancedConsumer, ConsumedMessage } from '../../../src/index.ts'
import { until } from '../../support/until.ts'
import { HEARTBEAT, Scene } from '../support/consumer-group-scene.ts'

type Process = (message: ConsumedMessage) => Promise<void>

/** Reads until the member is closed. */
const WAYS: Readonly<
  Record<string, (member: BalancedConsumer, process: Process) => Promise<void>>
> = {
  'consume()': async (member, process) => {
    for (;;) {
      const message = await member.consume()
      if (message !== undefined) await process(message)
    }
  },
  'for await': async (member, process) => {
    for await (const message of member) await process(message)
  },
  'batches()': async (member, process) => {
    for await (const batch of member.batches()) {
      for (const message of batch) await process(message)
    }
  },
  'run()': (member, process) => member.run(process),
}

describe('a group of the consumer protocol whose members read by', () => {
  it.each(Object.entries(WAYS))(
    '%s reads each message once, and no partition moves while its message is processed',
    async (_, read) => {
      await using scene = await Scene.open()
      await scene.write(40)
      const seen: string[] = []
      const reading: Promise<unknown>[] = []
      const begun = deferred<ConsumedMessage>()
      const finish = deferred()
      const start = (member: BalancedConsumer, process: Process) => {
        const note: Process = async (message) => {
          seen.push(`${message.partition}:${message.offset}`)
          await process(message)
        }
        reading.push(read(member, note).catch((error: unknown) => error))
      }
      const one = await scene.member('one', { autoCommitEnable: true })
      start(one, async (message) => {
        begun.resolve(message)
        await finish.promise
      })
      const { partition } = await begun.promise
      // It opens without partitions.
      const two = await scene.member('two', { autoCommitEnable: true })
      // The first member learns of the second by the response to one of these.
      for (let times = 0; times < 3; times++) {
        await scene.kafka.requests.next({ ...HEARTBEAT, clientId: 'one' })
      }
      const { partitions } = two
      finish.resolve()
      expect(partitions).not.toContain(partition)
      start(two, () => Promise.resolve())
      await scene.owned(4, one, two)
      await scene.write(40)
      await until(() => new Set(seen).size === 80)
      await one.close()
      await scene.owned(4, two)
      await scene.write(40)
      await until(() => new Set(seen).size === 120)
      await two.close()
      await Promise.all(reading)
      expect(seen).toHaveLength(120)
      expect(scene.log.filter((entry) => entry.includes('!'))).toEqual([])
    },
  )
})
