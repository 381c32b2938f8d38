import { expect } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { waitFor } from '../kafka/wait.ts'
import { cutAfter, type Ending } from '../proxy-faults.ts'
import type { Direction } from '../proxy.ts'
import { Traffic, type Bench } from './bench.ts'
import { readLog } from './ledger.ts'
import { PATIENCE_MS } from '../patience.ts'

export const CUT_APIS = ['ApiVersions', 'Metadata', 'ListOffsets', 'Produce', 'Fetch'] as const
export type CutApi = (typeof CUT_APIS)[number]

/** After which of this many bytes to cut. */
export type Points = (length: number) => readonly number[]

export const everyByte: Points = (length) => Array.from({ length: length + 1 }, (_, at) => at)

/** At both ends, around the size and the header, and in the middle. */
export const someBytes: Points = (length) => [0, 1, 4, 9, length >> 1, length - 1, length]

const PATIENT = { socketTimeoutMs: 10_000, connectTimeoutMs: 10_000, operationTimeoutMs: 20_000 }
/** Faults that come once need no wait. */
const AT_ONCE = {
  retryBackoffMs: 1,
  retryBackoffMaxMs: 1,
  reconnectBackoffMs: 1,
  reconnectBackoffMaxMs: 1,
}

/**
 * Cuts connections after each of the bytes of an API's requests or responses: nothing that was
 * acknowledged is lost, and the client continues. Returns the number of cuts.
 */
export async function cutAt(
  bench: Bench,
  api: CutApi,
  direction: Direction,
  points: Points,
  endings: readonly Ending[],
): Promise<number> {
  const { proxy, direct } = bench
  const name = await bench.topic()
  const client = bench.client({ ...PATIENT, ...AT_ONCE })
  const traffic = await Traffic.start(client, name)
  const past = await direct.topic(name).getProducer()
  const act: Record<CutApi, () => Promise<unknown>> = {
    ApiVersions: () => {
      proxy.dropConnections()
      return client.topic(name).partitions()
    },
    Metadata: () => client.topic(name).partitions(),
    ListOffsets: () => client.topic(name).latestAvailableOffsets(),
    Produce: () => traffic.ledger.produce(),
    Fetch: async () => {
      const { offset } = await past.produce('past')
      await traffic.receivedUntil(offset)
    },
  }
  // A clean pass first: it tells how long the frames are.
  for (let pass = 0; pass < 3; pass++) await act[api]()
  await waitFor(() => proxy.lengths.get(`${api} ${direction}`), {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error(`no ${api} ${direction} came by`),
  })
  let cuts = 0
  for (const ending of endings) {
    for (const point of points(proxy.lengths.get(`${api} ${direction}`)!)) {
      proxy.misbehave(direction, cutAfter(point, ending), { api, times: 1 })
      await act[api]()
      await waitFor(() => (proxy.hasMisbehaved ? true : undefined), {
        timeoutMs: PATIENCE_MS,
        everyMs: 1,
        onTimeout: () => new Error(`no ${api} ${direction} was cut after ${point} bytes`),
      })
      await proxy.behave()
      cuts++
    }
  }
  await traffic.ledger.produce()
  await traffic.receivedUntil(traffic.ledger.lastOffset)
  await client.close()
  await past.close()
  const log = await readLog(direct, name)
  expect(traffic.ledger.problems(log)).toEqual([])
  expect(traffic.received.map(({ offset }) => offset)).toEqual(log.map(({ offset }) => offset))
  return cuts
}

/**
 * The same under clients that have just been made, which know nothing of the broker yet: none of them may
 * take it for an older one than it is.
 */
export async function cutNewcomers(
  bench: Bench,
  direction: Direction,
  points: Points,
): Promise<number> {
  const { proxy } = bench
  const name = await bench.topic()
  const versions = new Set<number>()
  const onRequest = (event: unknown) => {
    const isMetadata = typeof event === 'object' && event !== null && 'api' in event
    if (isMetadata && event.api === 'Metadata' && 'version' in event) {
      versions.add(Number(event.version))
    }
  }
  await bench.direct.topic(name).partitions()
  subscribe('samsa:request', onRequest)
  let cuts = 0
  try {
    const length = proxy.lengths.get(`ApiVersions ${direction}`) ?? 0
    for (const point of points(length)) {
      proxy.misbehave(direction, cutAfter(point), { api: 'ApiVersions', times: 1 })
      await using client = bench.client({ ...PATIENT, ...AT_ONCE })
      // An address that was never reached is not tried for long: the second call finds it well.
      await client
        .topic(name)
        .partitions()
        .catch(() => client.topic(name).partitions())
      expect(proxy.hasMisbehaved).toBe(true)
      await proxy.behave()
      cuts++
    }
  } finally {
    unsubscribe('samsa:request', onRequest)
  }
  expect(versions.size).toBe(1)
  expect(versions).not.toContain(0)
  return cuts
}
