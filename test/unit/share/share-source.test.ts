import { describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { clusterOptions } from '../../../src/client-options.ts'
import { parseHosts } from '../../../src/network/address.ts'
import { Broker } from '../../../src/network/broker.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { ClientMetrics } from '../../../src/observe/metrics/client-metrics.ts'
import { readAcquired } from '../../../src/share/acquired-records.ts'
import type { HeldRecord } from '../../../src/share/held-record.ts'
import { AcknowledgementResults } from '../../../src/share/acknowledgement-results.ts'
import { sessionKeyOf } from '../../../src/share/share-session.ts'
import { ShareSource } from '../../../src/share/share-source.ts'
import { ShareSources } from '../../../src/share/share-sources.ts'
import { record } from '../records/records.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const partitionOf = (partition: number) => ({ topic: 'jobs', topicId, partition })

const brokerAt = (nodeId: number, hosts: string) =>
  new Broker(nodeId, parseHosts(hosts)[0]!, clusterOptions({ hosts }).broker)

function sourceOptions() {
  const metrics = new ClientMetrics('shop').consumer('workers')
  return {
    group: 'workers',
    memberId: 'member',
    requestTimeoutMs: 1_000,
    outcomes: new AcknowledgementResults(silentLogger, metrics.counted.share),
    backoff: { initialMs: 1_000, maxMs: 1_000 },
    metrics,
    onAcknowledgements: () => undefined,
  }
}

/** Acquires one record of a partition. */
function acquireOne(source: ShareSource, partition: number): HeldRecord {
  const ranges = [{ first: 0, last: 0, deliveryCount: 1 }]
  const acquired = readAcquired(partitionOf(partition), encodeBatch([record('k', 'v')]), ranges)
  const lockedUntil = performance.now() + 3_600_000
  return source.partitionOf(partitionOf(partition)).acquire(ranges, acquired, lockedUntil)[0]!
}

describe('acquired records', () => {
  it('is forgotten when its partition is no longer assigned and nothing of it is open', () => {
    const source = new ShareSource(brokerAt(1, '127.0.0.1:1'), sourceOptions())
    const partitions = [0, 1, 2].map((partition) => source.partitionOf(partitionOf(partition)))
    const held = acquireOne(source, 2)
    const numbers = () => [...source.acquired].map(({ partition }) => partition)

    source.forgetUnused(new Map([[sessionKeyOf(partitionOf(0)), true]]))
    expect(numbers()).toEqual([0, 2])
    held.owner.acknowledge(held, 'accept')
    // The acknowledgement is still to be sent.
    source.forgetUnused(new Map())
    expect(numbers()).toEqual([2])
    partitions[2]!.takePart(performance.now(), true)
    source.forgetUnused(new Map())
    expect(numbers()).toEqual([])
  })
})

describe('the source of a broker', () => {
  /** The sources of a cluster whose only broker has moved to another address. */
  function moved() {
    const before = brokerAt(1, '127.0.0.1:1')
    const after = brokerAt(1, '127.0.0.1:2')
    const brokers = new Map([[1, before]])
    const sources = new ShareSources(() => brokers, sourceOptions())
    const source = sources.of(before, new Map())
    const move = () => {
      brokers.set(1, after)
      return sources.of(after, new Map())
    }
    return { sources, source, move }
  }

  it('that has gone is removed when another takes its place', () => {
    const { sources, source, move } = moved()
    sources.tidy(new Map())
    expect([...sources]).toEqual([source])
    const next = move()
    expect([...sources]).toEqual([next])
  })

  it('that has gone stays until its messages are acknowledged and its request is answered', () => {
    const { sources, source, move } = moved()
    const held = acquireOne(source, 0)
    source.isBusy = true
    const next = move()
    expect([...sources]).toEqual([source, next])
    held.owner.acknowledge(held, 'accept')
    source.isBusy = false
    sources.tidy(new Map())
    expect([...sources]).toEqual([source, next])
    source.partitionOf(partitionOf(0)).takePart(performance.now(), true)
    source.isBusy = true
    sources.tidy(new Map())
    expect([...sources]).toEqual([source, next])
    source.isBusy = false
    sources.tidy(new Map())
    expect([...sources]).toEqual([next])
  })
})
