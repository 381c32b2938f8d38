import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { ChaosCluster } from '../support/chaos/kit/chaos-cluster.ts'
import { problemsOf, runScenario } from '../support/chaos/scenarios/scenario.ts'
import { SEED } from '../support/chaos/scenarios/seed.ts'
import { SHORT_SCENARIOS } from '../support/chaos/scenarios/short.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

/** The short form of `npm run test:chaos`. */
describeWithBrokers(`a broker that fails (SAMSA_SEED=${SEED})`, ['java', 'kcat'], () => {
  let cluster: ChaosCluster
  beforeAll(async () => {
    cluster = await ChaosCluster.start({ version: NEWEST_KAFKA, brokers: 1 })
  })
  afterAll(() => cluster[Symbol.asyncDispose]())

  it.each(SHORT_SCENARIOS)('$title', async (scenario) => {
    const result = await runScenario(scenario, cluster, SEED)
    expect(problemsOf(result)).toEqual([])
    expect(result.injected).toHaveLength(1)
    expect(result.figures.acknowledged).toBeGreaterThan(0)
  })
})
