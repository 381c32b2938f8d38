import { expect } from '@jest/globals'
import type { KafkaClient } from '../../../src/client.ts'
import { KafkaError } from '../../../src/errors.ts'
import { waitFor } from '../kafka/wait.ts'
import { failureOf, settled, type Settled } from '../settled.ts'
import { DELIVERY_TIMEOUT_MS, TIMES, Traffic, type Bench } from './bench.ts'
import { Ledger, readLog } from './ledger.ts'
import type { Misbehaviour } from './misbehaviours.ts'
import { PATIENCE_MS } from '../patience.ts'

const MESSAGES = 10

/**
 * Lets a proxy misbehave under a client at work, then behave: all calls meanwhile must end in their time
 * and say why, what continues must continue where it was, and closing must leave nothing.
 */
export async function endure(bench: Bench, misbehaviour: Misbehaviour): Promise<void> {
  const client = bench.client()
  try {
    await endureWith(bench, client, misbehaviour)
  } finally {
    await bench.proxy.behave()
    // For where the test failed midway, which is the error to be seen.
    await client.close().catch(() => undefined)
  }
}

async function endureWith(
  bench: Bench,
  client: KafkaClient,
  misbehaviour: Misbehaviour,
): Promise<void> {
  const { proxy, direct } = bench
  const name = await bench.topic()
  await direct.topic(name).partitions()
  const before = await handles()
  const traffic = await Traffic.start(client, name)
  const deliveryTimeoutMs = DELIVERY_TIMEOUT_MS
  const impatient = new Ledger(
    'impatient',
    await client.topic(name).getProducer({ deliveryTimeoutMs }),
  )
  await produceSome(traffic.ledger)
  await traffic.receivedUntil(traffic.ledger.lastOffset)

  await misbehaviour.start(proxy)
  const steady = produceSome(traffic.ledger)
  const newcomer = bench.client()
  const [lookup, first, produced] = await Promise.all([
    settled(client.topic(name).latestAvailableOffsets()),
    settled(newcomer.topic(name).partitions()),
    settled(impatient.produce()),
  ])
  await newcomer.close()
  for (const call of [lookup, first]) expectEnd(call, misbehaviour, TIMES.operationTimeoutMs)
  expectEnd(produced, misbehaviour, DELIVERY_TIMEOUT_MS)
  if (misbehaviour.says !== undefined) {
    expect(produced.error).toMatchObject({ name: 'ProduceFailureError', code: 'PRODUCE_FAILED' })
  }

  await proxy.behave()
  await steady
  await produceSome(traffic.ledger)
  await traffic.receivedUntil(traffic.ledger.lastOffset)
  expect((await client.topic(name).latestAvailableOffsets()).size).toBe(1)

  const closing = await settled(client.close())
  // Closing throws a failure that no flush has thrown.
  if (closing.error !== undefined) expect(closing.error).toBe(produced.error)
  expect(
    await failureOf(traffic.ended().then((error) => Promise.reject(error as Error))),
  ).toMatchObject({ code: 'CLOSED' })
  await waitFor(async () => ((await handles()) <= before ? true : undefined), {
    timeoutMs: PATIENCE_MS,
    onTimeout: () =>
      new Error(`${before} handles before, now ${process.getActiveResourcesInfo().join()}`),
  })

  const log = await readLog(direct, name)
  expect([...traffic.ledger.problems(log), ...impatient.problems(log)]).toEqual([])
  // All that the log has came to the consumer, once and in order.
  const until = log.slice(0, traffic.received.length)
  expect(traffic.received.map(({ offset }) => offset)).toEqual(until.map(({ offset }) => offset))
  expect(traffic.ledger.count).toBe(3 * MESSAGES)
}

async function produceSome(ledger: Ledger): Promise<void> {
  for (let count = 0; count < MESSAGES; count++) await ledger.produce()
}

function expectEnd(call: Settled<unknown>, { says }: Misbehaviour, timeoutMs: number): void {
  if (says === undefined) expect(call.error).toBeUndefined()
  else {
    expect(call.error).toBeInstanceOf(KafkaError)
    // Where the machine is busy, the time of the call is over in its first attempt.
    expect(call.error?.message).toMatch(
      new RegExp(`${says.source}|took longer than ${timeoutMs} ms$`, says.flags),
    )
  }
}

/** Sockets and timers that would keep the process alive. */
async function handles(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve))
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kind === 'TCPSocketWrap' || kind === 'Timeout').length
}
