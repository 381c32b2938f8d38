import { describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { clusterOptions } from '../../../src/client-options.ts'
import { parseHosts } from '../../../src/network/address.ts'
import { Broker } from '../../../src/network/broker.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { GroupMetrics } from '../../../src/observe/metrics/client-metrics.ts'
import { readAcquired } from '../../../src/share/acquired-records.ts'
import { Outcomes } from '../../../src/share/outcomes.ts'
import { sessionKeyOf } from '../../../src/share/share-session.ts'
import { ShareSource } from '../../../src/share/share-source.ts'
import { record } from '../records/records.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const partitionOf = (partition: number) => ({ topic: 'jobs', topicId, partition })

describe('what a broker has lent', () => {
  it('is forgotten when its partition is no longer assigned and nothing of it is open', () => {
    const hosts = '127.0.0.1:1'
    const metrics = new GroupMetrics('workers')
    const source = new ShareSource(
      new Broker(1, parseHosts(hosts)[0]!, clusterOptions({ hosts }).broker),
      {
        group: 'workers',
        memberId: 'member',
        requestTimeoutMs: 1_000,
        outcomes: new Outcomes(silentLogger, metrics.share),
        backoff: { initialMs: 1_000, maxMs: 1_000 },
        metrics,
        onAcknowledgements: () => undefined,
      },
    )
    const partitions = [0, 1, 2].map((partition) => source.partitionOf(partitionOf(partition)))
    const ranges = [{ first: 0, last: 0, deliveryCount: 1 }]
    const [held] = partitions[2]!.lend(
      ranges,
      readAcquired(partitionOf(2), encodeBatch([record('k', 'v')]), ranges),
      performance.now() + 3_600_000,
    )
    const numbers = () => [...source.lent].map(({ partition }) => partition)

    source.forgetUnused(new Map([[sessionKeyOf(partitionOf(0)), true]]))
    expect(numbers()).toEqual([0, 2])
    held!.owner.acknowledge(held!, 'accept')
    // The acknowledgement is still to be sent.
    source.forgetUnused(new Map())
    expect(numbers()).toEqual([2])
    partitions[2]!.takePart(performance.now(), true)
    source.forgetUnused(new Map())
    expect(numbers()).toEqual([])
  })
})
