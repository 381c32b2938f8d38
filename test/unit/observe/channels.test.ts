import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { KafkaClient } from '../../../src/client.ts'
import type { Logger } from '../../../src/observe/logger.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

const CHANNELS = ['samsa:connect', 'samsa:request', 'samsa:close', 'samsa:retry'] as const

let fake: FakeBroker
beforeEach(async () => {
  fake = await FakeBroker.start()
  tellLayout(layoutOf([fake], { orders: [1] }), fake)
})
afterEach(() => fake.stop())

/** The events of the fake broker that come while something runs, by channel: other tests' clients may still close. */
async function eventsOf(run: () => Promise<unknown>): Promise<Map<string, unknown[]>> {
  const events = new Map<string, unknown[]>(CHANNELS.map((name) => [name, []]))
  const listeners = CHANNELS.map((name) => {
    const listener = (event: unknown) => {
      if (isOther(event)) return
      events.get(name)?.push(event)
    }
    subscribe(name, listener)
    return () => unsubscribe(name, listener)
  })
  try {
    await run()
  } finally {
    for (const stop of listeners) stop()
  }
  return events
}

function isOther(event: unknown): boolean {
  const broker: unknown = Reflect.get(Object(event) as object, 'broker')
  return broker !== undefined && broker !== fake.name
}

const aTime: unknown = expect.any(Number)

describe('events', () => {
  it('report connections, requests and their ends', async () => {
    const events = await eventsOf(async () => {
      await using client = new KafkaClient({ ...QUICK, hosts: fake.name })
      await client.topic('orders').partitions()
    })
    const done = { clientId: 'samsa', broker: fake.name, durationMs: aTime, error: undefined }
    const from = { instanceId: aTime, nodeId: -1, responseBytes: aTime }
    const sent = { ...done, ...from }
    expect(events.get('samsa:connect')).toEqual([{ ...done, purpose: 'general' }])
    expect(events.get('samsa:request')).toEqual([
      { ...sent, api: 'ApiVersions', apiKey: 18, version: aTime, correlationId: 0 },
      {
        ...sent,
        api: 'Metadata',
        apiKey: 3,
        version: metadata.versions.max,
        correlationId: 1,
      },
    ])
    expect(events.get('samsa:close')).toEqual([
      { clientId: 'samsa', broker: fake.name, reason: expect.objectContaining({ code: 'CLOSED' }) },
    ])
    expect(events.get('samsa:retry')).toEqual([])
  })

  it('report failures and retries', async () => {
    let answers = 0
    fake.handle(metadata, () => (answers++ === 0 ? undefined : { brokers: [], topics: [] }))
    const events = await eventsOf(async () => {
      await using client = new KafkaClient({ ...QUICK, hosts: fake.name, socketTimeoutMs: 500 })
      await failureOf(client.topic('orders').partitions({ timeoutMs: 60_000 }))
    })
    const timedOut: unknown = expect.objectContaining({ code: 'REQUEST_TIMED_OUT' })
    const failed = events.get('samsa:request')?.find((event) => hasError(event))
    expect(failed).toMatchObject({ api: 'Metadata', broker: fake.name, error: timedOut })
    expect(events.get('samsa:close')?.[0]).toMatchObject({ reason: timedOut })
    const retries = events.get('samsa:retry') ?? []
    const clientId = 'samsa'
    const what = "looking up topic 'orders'"
    const missing: unknown = expect.objectContaining({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    const unreachable: unknown = expect.objectContaining({ code: 'NO_BROKERS_AVAILABLE' })
    expect(retries[0]).toEqual({ clientId, what, attempt: 1, waitMs: aTime, error: unreachable })
    expect(retries[1]).toEqual({ clientId, what, attempt: 2, waitMs: aTime, error: missing })
  })

  it('are not created without subscribers', async () => {
    await using client = new KafkaClient({ ...QUICK, hosts: fake.name })
    await client.topic('orders').partitions()
    expect(CHANNELS.filter((name) => channel(name).hasSubscribers)).toEqual([])
  })
})

describe('the logger', () => {
  it('receives connections that are opened, and those that fail', async () => {
    const lines: string[] = []
    const at = (level: string) => (message: string) => lines.push(`${level} ${message}`)
    const logger: Logger = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
    }
    const gone = await FakeBroker.start()
    await gone.stop()
    await using client = new KafkaClient({ ...QUICK, hosts: [gone.name, fake.name], logger })
    await client.topic('orders').partitions()
    expect(lines[0]).toMatch(/^warn could not open a connection to .* \(general\): .*ECONNREFUSED/)
    expect(lines).toContain(`debug opened a connection to ${fake.name} (general)`)
  })
})

function hasError(event: unknown): boolean {
  return (
    typeof event === 'object' && event !== null && 'error' in event && event.error !== undefined
  )
}
