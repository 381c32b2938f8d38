import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ChaosCluster } from '../support/chaos/kit/chaos-cluster.ts'
import { keepResult } from '../support/chaos/report/results.ts'
import { problemsOf, runScenario } from '../support/chaos/scenarios/scenario.ts'
import { SCENARIOS } from '../support/chaos/scenarios/scenarios.ts'
import { SEED } from '../support/chaos/scenarios/seed.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

const VERSIONS = (process.env['SAMSA_CHAOS_KAFKA'] ?? '4.4.0,2.8.2').split(',')

describeWithBrokers('three brokers that fail in every way', ['java', 'kcat'], () => {
  describe.each(VERSIONS)(`Kafka %s, SAMSA_SEED=${SEED}`, (version) => {
    let cluster: ChaosCluster
    beforeAll(async () => {
      cluster = await ChaosCluster.start({ version })
    })
    afterAll(() => cluster[Symbol.asyncDispose]())

    it.each(SCENARIOS)('$title', async (scenario) => {
      await cluster.whole([])
      const result = await runScenario(scenario, cluster, SEED)
      keepResult(result)
      process.stdout.write(`    ${JSON.stringify(result.figures)}\n`)
      expect(problemsOf(result)).toEqual([])
      expect(result.injected.length).toBeGreaterThan(0)
      expect(result.figures.acknowledged).toBeGreaterThan(0)
    })
  })
})
