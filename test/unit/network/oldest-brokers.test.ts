import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { deferred } from '../../../src/async/deferred.ts'
import { KafkaClient } from '../../../src/client.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

let fake: FakeBroker
let client: KafkaClient

beforeEach(async () => {
  fake = await FakeBroker.start()
  tellLayout(layoutOf([fake], { orders: [1] }), fake)
  client = new KafkaClient({ ...QUICK, hosts: fake.name })
})
afterEach(async () => {
  await client.close()
  await fake.stop()
})

describe('a broker that leaves unknown requests unanswered', () => {
  it('is treated as 0.9 when it answers a later request, and is then asked in the oldest versions', async () => {
    fake.handle(apiVersions, () => undefined)
    fake.handle(listGroups, () => ({ errorCode: 0, groups: [] }))
    expect(await client.topic('orders').partitions()).toHaveLength(1)
    expect(fake.received(metadata).map(({ version }) => version)).toEqual([0])
  })

  it('is not treated as an old one when it answers nothing', async () => {
    fake.handle(apiVersions, () => undefined)
    fake.handle(listGroups, () => undefined)
    expect(await failureOf(client.topic('orders').partitions())).toMatchObject({
      name: 'NoBrokersAvailableError',
      message: expect.stringContaining('did not answer'),
    })
    expect(fake.received(metadata)).toEqual([])
  })

  it('is not treated as an old one when its responses arrive late and together', async () => {
    const asked = deferred()
    fake.handle(apiVersions, async () => {
      await asked.promise
      const apis = [apiVersions, listGroups, metadata]
      return {
        errorCode: 0,
        apiKeys: apis.map(({ key, versions: { min, max } }) => ({
          apiKey: key,
          minVersion: min,
          maxVersion: max,
        })),
      }
    })
    fake.handle(listGroups, async (_, { socket }) => {
      // Both in one write: the client has the later answer when it looks at the first.
      socket.cork()
      asked.resolve()
      await nextTurn()
      setImmediate(() => socket.uncork())
      return { errorCode: 0, groups: [] }
    })
    expect(await client.topic('orders').partitions()).toHaveLength(1)
    const versions = fake.received(metadata).map(({ version }) => version)
    expect(versions).toEqual(versions.map(() => metadata.versions.max))
  })
})
