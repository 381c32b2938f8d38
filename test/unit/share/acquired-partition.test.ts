import { describe, expect, it } from '@jest/globals'
import { ErrorCode } from '../../../protocol/errors.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { BrokerError } from '../../../src/errors.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { GroupMetrics } from '../../../src/observe/metrics/client-metrics.ts'
import { readAcquired } from '../../../src/share/acquired-records.ts'
import type { HeldRecord } from '../../../src/share/held-record.ts'
import { AcquiredPartition } from '../../../src/share/acquired-partition.ts'
import { AcknowledgementResults } from '../../../src/share/acknowledgement-results.ts'
import { Renewals } from '../../../src/share/renewals.ts'
import { ShareFeed } from '../../../src/share/share-feed.ts'
import { until } from '../../support/until.ts'
import { record } from '../records/records.ts'

const where = { topic: 'jobs', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partition: 0 }
const { COORDINATOR_NOT_AVAILABLE, INVALID_RECORD_STATE, NONE } = ErrorCode
const HOUR_MS = 3_600_000

/** A partition of which this many records were acquired, until `lockedMs` from now. */
function acquiredRecords(count: number, lockedMs: number) {
  const metrics = new GroupMetrics('workers')
  const outcomes = new AcknowledgementResults(silentLogger, metrics.share)
  const backoff = { initialMs: 1_000, maxMs: 1_000 }
  const partition = new AcquiredPartition(where, {
    outcomes,
    backoff,
    counted: metrics.topics.of('jobs'),
    onChange: () => undefined,
  })
  const data = encodeBatch(Array.from({ length: count }, () => record('k', 'v')))
  const ranges = [{ first: 0, last: count - 1, deliveryCount: 1 }]
  const acquired = readAcquired(where, data, ranges)
  const records = partition.acquire(ranges, acquired, performance.now() + lockedMs)
  return { partition, records, outcomes }
}

const accept = (records: readonly HeldRecord[]) => {
  for (const one of records) one.owner.acknowledge(one, 'accept')
}

const afterwards = () => performance.now() + HOUR_MS

describe('acknowledgements of acquired records', () => {
  it('are renewals until they are answered, also when they are sent again', () => {
    const { partition, records } = acquiredRecords(2, HOUR_MS)
    accept(records.slice(0, 1))
    partition.renew(records[1]!)
    const part = partition.takePart(afterwards(), true)!
    expect(partition.hasRenewals).toBe(false)
    partition.again(part, new BrokerError(ErrorCode.SHARE_SESSION_NOT_FOUND, 'acknowledging'))
    expect(partition.hasRenewals).toBe(true)
    expect(partition.takePart(afterwards(), false)).toBeUndefined()
    expect(partition.takePart(afterwards(), true)).toMatchObject({ ranges: part.ranges })
    expect(partition.hasRenewals).toBe(false)
  })

  it('wait before they are sent again after a retriable error, and are sent again while their locks last', () => {
    const { partition, records, outcomes } = acquiredRecords(1, HOUR_MS)
    accept(records)
    let part = partition.takePart(performance.now(), true)!
    for (let attempt = 0; attempt < 50; attempt++) {
      partition.answered(part, COORDINATOR_NOT_AVAILABLE, 0, null)
      const now = performance.now()
      expect(partition.dueAt).toBeGreaterThan(now)
      expect(partition.takePart(now, true)).toBeUndefined()
      part = partition.takePart(partition.dueAt, true)!
    }
    partition.answered(part, NONE, 0, null)
    expect(outcomes.take()).toMatchObject([{ acknowledged: 1, failed: 0 }])
  })

  it('fail after a retriable error if their locks end before they could be sent again', () => {
    const { partition, records, outcomes } = acquiredRecords(1, 500)
    accept(records)
    const part = partition.takePart(performance.now(), true)!
    partition.answered(part, COORDINATOR_NOT_AVAILABLE, 0, null)
    expect(partition.hasAcknowledgements).toBe(false)
    expect(outcomes.take()).toMatchObject([{ acknowledged: 0, failed: 1 }])
  })

  it('are sent together if they are late, and do not prevent the division of those in time', () => {
    const { partition, records: late, outcomes } = acquiredRecords(500, -1)
    accept(late)
    const first = partition.takePart(afterwards(), true)!
    expect(first.ranges).toEqual([{ first: 0, last: 499, type: 'accept' }])
    let requests = 1
    partition.answered(first, INVALID_RECORD_STATE, 0, null)
    for (; partition.hasAcknowledgements; requests++) {
      partition.answered(partition.takePart(afterwards(), true)!, INVALID_RECORD_STATE, 0, null)
    }
    expect(requests).toBeLessThan(20)
    expect(outcomes.take()).toMatchObject([{ acknowledged: 0, failed: 500 }])
  })

  it('do not count a message as open that was lost before it was delivered', () => {
    const { partition, records } = acquiredRecords(1, -1)
    const feed = new ShareFeed({
      convert: (message) => message,
      isImplicit: false,
      onWaiting: () => undefined,
      onWaited: () => undefined,
    })
    feed.add(records)
    expect(partition.hasOpenRecords).toBe(true)
    expect(feed.next()).toBeUndefined()
    expect(records[0]?.state).toBe('lost')
    expect(partition.hasOpenRecords).toBe(false)
  })

  it('do not keep a message that the application never acknowledges', async () => {
    const { partition, records } = acquiredRecords(1, 20)
    records[0]!.state = 'delivered'
    const renewals = new Renewals({
      openRecords: () => partition.openRecords,
      lastRequestedAt: () => -Infinity,
    })
    renewals.acquired(20)
    // The timer does not keep the process alive; the wait does.
    await until(() => !partition.hasOpenRecords)
    expect(partition.openRecords).toEqual([])
    renewals.stop()
  })
})
