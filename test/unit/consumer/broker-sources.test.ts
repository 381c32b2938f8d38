import { describe, expect, it } from '@jest/globals'
import { clusterOptions } from '../../../src/client-options.ts'
import { BrokerSources } from '../../../src/consumer/fetch/broker-sources.ts'
import type { Source } from '../../../src/consumer/fetch/source.ts'
import { PartitionState } from '../../../src/consumer/partition-state.ts'
import { parseHosts } from '../../../src/network/address.ts'
import { Broker } from '../../../src/network/broker.ts'

const HOSTS = '127.0.0.1:1'
const MIB = 1024 * 1024
const SETTINGS = { fetchBackoff: { initialMs: 1, maxMs: 1 }, fetchMinBytes: 1 }

class FakeBroker extends Broker {
  readonly closedLanes: number[] = []

  constructor() {
    super(1, parseHosts(HOSTS)[0]!, clusterOptions({ hosts: HOSTS }).broker)
  }

  override hangUp(_: string, lane: number): void {
    this.closedLanes.push(lane)
  }
}

const sourcesOf = (count?: number, broker = new FakeBroker()) => new BrokerSources(broker, count)

const partitions = (...numbers: number[]) =>
  numbers.map((partition) => new PartitionState({ topic: 't', partition }, 1))

/** Each source gets this many responses of this size. */
function answer(sources: BrokerSources, times: number, bytes: number, messages = 1): void {
  for (let i = 0; i < times; i++) {
    for (const source of [...sources.all]) {
      source.answered({ bytes, messages }, 1_000, SETTINGS)
      sources.adapt()
    }
  }
}

const shares = (sources: BrokerSources, states: readonly PartitionState[]) => {
  const counts = new Map<Source, number>()
  for (const state of states) {
    const source = sources.of(state)
    counts.set(source, (counts.get(source) ?? 0) + 1)
  }
  return [...counts.values()].sort()
}

describe('the sources of a broker', () => {
  it('get the same number of partitions, whatever the numbers of these are', () => {
    const sources = sourcesOf(2)
    const states = partitions(0, 2, 4, 6)
    expect(shares(sources, states)).toEqual([2, 2])
    expect(states.map((state) => sources.of(state))).toEqual(
      states.map((state) => sources.of(state)),
    )
  })

  it('give the place of a removed partition to the next one', () => {
    const sources = sourcesOf(2)
    const [first, second, third] = partitions(0, 1, 2)
    const source = sources.of(first!)
    sources.of(second!)
    sources.remove(first!)
    sources.remove(first!)
    expect(sources.of(third!)).toBe(source)
  })

  it('become two after four large responses, and share the partitions', () => {
    const sources = sourcesOf()
    const states = partitions(0, 1, 2, 3)
    expect(shares(sources, states)).toEqual([4])
    answer(sources, 3, MIB)
    expect(sources.all).toHaveLength(1)
    answer(sources, 1, MIB)
    expect(sources.all).toHaveLength(2)
    expect(shares(sources, states)).toEqual([2, 2])
    answer(sources, 10, MIB)
    expect(sources.all).toHaveLength(2)
  })

  it('stay one while responses are smaller, or large only sometimes', () => {
    const sources = sourcesOf()
    shares(sources, partitions(0, 1))
    answer(sources, 10, MIB - 1)
    for (let i = 0; i < 10; i++) {
      answer(sources, 3, MIB)
      answer(sources, 1, MIB - 1)
    }
    expect(sources.all).toHaveLength(1)
  })

  it('become two with messages of 4 KiB, and stay one with smaller ones', () => {
    for (const [messages, count] of [
      [257, 1],
      [256, 2],
    ] as const) {
      const sources = sourcesOf()
      shares(sources, partitions(0, 1))
      answer(sources, 10, MIB, messages)
      expect(sources.all).toHaveLength(count)
    }
  })

  it('stay one for one partition, which has one request in flight', () => {
    const sources = sourcesOf()
    shares(sources, partitions(0))
    answer(sources, 10, MIB)
    expect(sources.all).toHaveLength(1)
  })

  it('become one again when both are quiet', () => {
    const sources = sourcesOf()
    const states = partitions(0, 1)
    shares(sources, states)
    answer(sources, 4, MIB)
    expect(shares(sources, states)).toEqual([1, 1])
    const [first, second] = sources.all
    for (let i = 0; i < 10; i++) second!.answered({ bytes: 0, messages: 0 }, 1_000, SETTINGS)
    sources.adapt()
    expect(sources.all).toHaveLength(2)
    answer(sources, 4, 0)
    expect(sources.all).toEqual([first])
    expect(shares(sources, states)).toEqual([2])
  })

  it('close the connection of the second one when they become one, although no request is in flight', () => {
    const broker = new FakeBroker()
    const sources = sourcesOf(undefined, broker)
    shares(sources, partitions(0, 1))
    answer(sources, 4, MIB)
    const { lane } = sources.all[1]!
    answer(sources, 4, 0)
    expect(sources.all).toHaveLength(1)
    expect(broker.closedLanes).toEqual([lane])
  })

  it('are as many as the application says, whatever the responses are', () => {
    for (const count of [1, 2, 3]) {
      const sources = sourcesOf(count)
      shares(sources, partitions(0, 1, 2))
      answer(sources, 10, MIB)
      answer(sources, 10, 0)
      expect(sources.all).toHaveLength(count)
    }
  })
})
