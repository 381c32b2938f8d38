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
  #onTopic: () => void = () => undefined
  #state: string
  /** The functions that were registered for changes of topics. */
  readonly registered = new Set<() => void>()

  constructor(state = '{"partitions":{"0":[1],"1":[1]}}') {
    this.#state = state
    this.topics.set('t', 2)
    const session = {
      children: (_: string, onChange: () => void) => {
        this.#onTopics = onChange
        return Promise.resolve(this.#names)
      },
      data: (_: string, onChange: () => void = () => undefined) => {
        this.#onTopic = onChange
        this.registered.add(onChange)
        return Promise.resolve(this.#state)
      },
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

  /** ZooKeeper tells that the state of topic t changed. */
  async changeState(state: string): Promise<void> {
    this.#state = state
    this.#onTopic()
    await jest.advanceTimersByTimeAsync(60_000)
  }

  /** ZooKeeper reports that topics were created or deleted, and a minute passes. */
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

  it('triggers a rebalance for a new partition, and none when replicas are reassigned', async () => {
    const scene = new Scene()
    await scene.start()
    await scene.changeState('{"partitions":{"0":[2],"1":[1]}}')
    await scene.changeState('{"partitions":{"0":[2],"1":[2]}}')
    expect(scene.reasons).toEqual([])
    await scene.changeState('{"partitions":{"0":[2],"1":[2],"2":[1]}}')
    expect(scene.reasons).toEqual(['a subscribed topic changed'])
  })

  it('triggers a rebalance for a topic that is deleted and created again with as many partitions', async () => {
    const scene = new Scene('{"partitions":{"0":[1],"1":[1]},"topic_id":"first"}')
    await scene.start()
    await scene.changeState('{"partitions":{"0":[1],"1":[1]},"topic_id":"second"}')
    expect(scene.reasons).toEqual(['a subscribed topic changed'])
  })

  it('registers one function for each topic, no matter how often it looks at it', async () => {
    const scene = new Scene()
    await scene.start()
    await scene.start()
    await scene.changeState('{"partitions":{"0":[2],"1":[1]}}')
    expect(scene.registered.size).toBe(1)
  })

  it('triggers a rebalance for a topic that the member waits for', async () => {
    const scene = new Scene()
    await scene.start()
    await scene.change('t', 'later')
    expect(scene.reasons).toEqual(['there may be new partitions'])
  })
})
