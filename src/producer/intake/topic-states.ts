import { checkTopicName } from '../../cluster/topic-name.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TopicState } from './topic-state.ts'

/** The topics that a producer for several topics has written to, by name. */
export class TopicStates {
  readonly #open: (name: string) => TopicState
  readonly #states = new Map<string, TopicState>()

  /** `open` creates the state of a topic at its first use. */
  constructor(open: (name: string) => TopicState) {
    this.#open = open
  }

  /** Throws InvalidArgumentError for an invalid topic name. */
  of(name: unknown): TopicState {
    if (typeof name !== 'string') {
      throw new InvalidArgumentError(`a topic name must be a string, not ${typeof name}`)
    }
    let topic = this.#states.get(name)
    if (topic === undefined) {
      checkTopicName(name)
      topic = this.#open(name)
      this.#states.set(name, topic)
    }
    return topic
  }

  beginTransaction(): void {
    for (const topic of this.#states.values()) topic.beginTransaction()
  }

  /** Returns the topic that a message names. Throws InvalidArgumentError. */
  ofMessage(message: unknown): TopicState {
    if (typeof message === 'object' && message !== null && 'topic' in message) {
      return this.of(message.topic)
    }
    throw new InvalidArgumentError('a message must be an object with a topic and a value')
  }
}
