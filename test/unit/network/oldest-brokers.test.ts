import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
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

describe('a broker that never answers what it speaks', () => {
  it('is one of 0.9 when it answers a later question, and is then asked in the oldest versions', async () => {
    fake.handle(apiVersions, () => undefined)
    fake.handle(listGroups, () => ({ errorCode: 0, groups: [] }))
    expect(await client.topic('orders').partitions()).toHaveLength(1)
    expect(fake.received(metadata).map(({ version }) => version)).toEqual([0])
  })

  it('is not taken for an old one when it answers nothing', async () => {
    fake.handle(apiVersions, () => undefined)
    fake.handle(listGroups, () => undefined)
    expect(await failureOf(client.topic('orders').partitions())).toMatchObject({
      name: 'NoBrokersAvailableError',
      message: expect.stringContaining('did not answer'),
    })
    expect(fake.received(metadata)).toEqual([])
  })
})
