import { expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { describeWithBrokers } from '../../support/real-brokers.ts'
import { runTool } from './scripts/java.ts'

const THROTTLE_MS = 400

describeWithBrokers("Java's producer", ['java'], () => {
  it('sends nothing for as long as a response has told it to (KIP-219)', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    kafka.throttle({ api: 'Produce', ms: THROTTLE_MS })
    const records = ['--num-records', '4', '--record-size', '10', '--throughput', '20']
    await runTool('ProducerPerformance', [
      ...['--bootstrap-server', kafka.hosts, '--topic', 't', ...records],
      // Each record is a request of its own.
      ...['--command-property', 'batch.size=0', 'max.in.flight.requests.per.connection=1'],
    ])
    const times = kafka.requests.all({ api: 'Produce' }).map(({ receivedAtMs }) => receivedAtMs)
    const gaps = times.slice(1).map((time, index) => time - times[index]!)
    expect(gaps.length).toBeGreaterThan(0)
    // Its clock and ours may each be off by a millisecond.
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(THROTTLE_MS - 2)
  })
})
