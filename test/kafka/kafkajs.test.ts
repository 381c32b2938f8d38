/**
 * kafkajs from npm beside samsa/kafkajs: the same calls on the same broker, and the same results, events and errors. With
 * SAMSA_KAFKAJS=all on 2.8.2 and 3.9.1 (`npm run test:kafkajs`), otherwise on 3.9.1 without LONG_AREAS.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startLocalCluster, type LocalCluster } from '../support/kafka/cluster.ts'
import { authorizerConfig } from '../support/kafka/secure.ts'
import { AREAS, compare, LONG_AREAS } from '../support/kafkajs/compare.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

const isLong = process.env['SAMSA_KAFKAJS'] === 'all'
const VERSIONS = isLong ? ['2.8.2', '3.9.1'] : ['3.9.1']
const COMPARED = isLong ? { ...AREAS, ...LONG_AREAS } : AREAS

describeWithBrokers('samsa/kafkajs compared with kafkajs', ['java'], () => {
  describe.each(VERSIONS)('on Kafka %s', (version) => {
    let cluster: LocalCluster

    beforeAll(async () => {
      process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
      // Only the long form has steps with ACLs.
      const config = isLong ? authorizerConfig(version) : {}
      cluster = await startLocalCluster({ version, brokers: 1, config })
    })

    afterAll(async () => {
      await cluster.stop()
    })

    describe.each(Object.entries(COMPARED))('%s', (_, steps) => {
      it.each(steps.map((step) => [step.name, step] as const))('%s', async (_name, step) => {
        const { kafkajs, samsa } = await compare(step, cluster.hosts.split(','))
        expect(samsa).toEqual(kafkajs)
        expect(kafkajs).toBeDefined()
      })
    })
  })
})
