import { checkTopicName } from '../../cluster/topic-name.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { TopicState } from './topic-state.ts'

/** The topics that a producer of several has written to, by name. */
export class TopicStates {
  readonly #open: (name: string) => TopicState
  readonly #states = new Map<string, TopicState>()

  /** `open` makes the state of a topic when it is first used. */
  constructor(open: (name: string) => TopicState) {
    this.#open = open
  }

  /** Throws InvalidArgumentError for a name that no topic can have. */
  of(name: unknown): TopicState {
    if (typeof name !== 'string') {
      throw new InvalidArgumentError(`a topic's name must be a string, not ${typeof name}`)
    }
    let topic = this.#states.get(name)
    if (topic === undefined) {
      checkTopicName(name)
      topic = this.#open(name)
      this.#states.set(name, topic)
    }
    return topic
  }

  /** The topic that a message names. Throws InvalidArgumentError. */
  ofMessage(message: unknown): TopicState {
    if (typeof message === 'object' && message !== null && 'topic' in message) {
      return this.of(message.topic)
    }
    throw new InvalidArgumentError('a message must be an object with a topic and a value')
  }
}
