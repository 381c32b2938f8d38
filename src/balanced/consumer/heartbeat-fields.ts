import type { Encodable } from '../../../protocol/schema/fields.ts'
import type { consumerGroupHeartbeat } from '../../../protocol/apis/consumer-group-heartbeat.ts'
import type { AssignedTopic } from './assignment.ts'
import type { ConsumerGroupSettings } from './settings.ts'

/** What changes in the life of a member. A change is another array, so that the arrays are compared by identity. */
export interface MemberContents {
  /** The topics that it subscribes to by name. */
  readonly topics: readonly string[]
  /** What it owns, which acknowledges what it has given up. */
  readonly owned: readonly AssignedTopic[]
}

type Body = Encodable<typeof consumerGroupHeartbeat.request.fields>

export interface NextHeartbeat {
  readonly body: Pick<Body, 'instanceId'> & Partial<Body>
  readonly contents: MemberContents
}

/**
 * Which fields the next heartbeat has. A member sends everything when it joins and after an error or a lost answer,
 * as the coordinator may or may not have acted on it; otherwise only what has changed since the last answer. The
 * coordinator answers a heartbeat with all fields with the whole assignment.
 */
export class HeartbeatFields {
  readonly #settings: ConsumerGroupSettings
  /** What the coordinator has confirmed. */
  #confirmed: MemberContents | undefined

  constructor(settings: ConsumerGroupSettings) {
    this.#settings = settings
  }

  next(contents: MemberContents): NextHeartbeat {
    const { groupInstanceId, clientRack, remoteAssignor, maxPollIntervalMs, subscription } =
      this.#settings
    const confirmed = this.#confirmed
    const isFull = confirmed === undefined
    const { serverPattern } = subscription
    return {
      contents,
      body: {
        instanceId: groupInstanceId ?? null,
        ...(isFull
          ? {
              rackId: clientRack ?? null,
              rebalanceTimeoutMs: maxPollIntervalMs,
              serverAssignor: remoteAssignor ?? null,
              ...(serverPattern === undefined ? {} : { subscribedTopicRegex: serverPattern }),
            }
          : {}),
        ...(confirmed?.topics === contents.topics
          ? {}
          : { subscribedTopicNames: [...contents.topics] }),
        ...(confirmed?.owned === contents.owned
          ? {}
          : {
              topicPartitions: contents.owned.map(({ topicId, partitions }) => ({
                topicId,
                partitions: [...partitions],
              })),
            }),
      },
    }
  }

  /** The heartbeat with these was answered. */
  confirm(contents: MemberContents): void {
    this.#confirmed = contents
  }

  /** The next heartbeat has all fields. */
  forget(): void {
    this.#confirmed = undefined
  }
}
