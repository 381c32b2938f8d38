import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { TopicWatch } from '../../../src/balanced/zookeeper/topic-watch.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { FakeTopics } from '../../support/balanced/members.ts'

/** A watch of topic t, whose ZooKeeper has the topics of a cluster. */
class Scene {
  readonly reasons: string[] = []
  readonly topics = new FakeTopics()
  readonly #watch: TopicWatch
  #names = ['t']
  #onTopics: () => void = () => undefined

  constructor() {
    this.topics.set('t', 2)
    const session = {
      children: (_: string, onChange: () => void) => {
        this.#onTopics = onChange
        return Promise.resolve(this.#names)
      },
      data: () => Promise.resolve('{"partitions":{"0":[1],"1":[1]}}'),
    }
    const parts = { session, metadataMaxAgeMs: 300_000, logger: silentLogger }
    this.#watch = new TopicWatch(
      { ...parts, subscription: this.topics.subscription('t', 'later') },
      (reason) => this.reasons.push(reason),
    )
  }

  async start(): Promise<void> {
    await this.#watch.watch(await this.topics.subscription('t').topics())
  }

  /** ZooKeeper tells that topics came or went, and a minute goes by. */
  async change(...names: readonly string[]): Promise<void> {
    this.#names = [...names]
    this.#onTopics()
    await jest.advanceTimersByTimeAsync(60_000)
  }
}

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

describe('the topic watch of a cluster', () => {
  it('triggers no rebalance for topics that no member here reads (#653 of pykafka)', async () => {
    const scene = new Scene()
    await scene.start()
    await scene.change('t', 'other')
    await scene.change('t')
    await scene.change('t', 'other', 'another')
    expect(scene.reasons).toEqual([])
  })

  it('triggers a rebalance for a topic that the member waits for', async () => {
    const scene = new Scene()
    await scene.start()
    await scene.change('t', 'later')
    expect(scene.reasons).toEqual(['there may be new partitions'])
  })
})
