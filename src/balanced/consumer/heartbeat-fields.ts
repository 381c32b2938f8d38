import type { Encodable } from '../../../protocol/schema/fields.ts'
import type { consumerGroupHeartbeat } from '../../../protocol/apis/consumer-group-heartbeat.ts'
import type { AssignedTopic } from './assignment.ts'
import type { ConsumerGroupSettings } from './settings.ts'

/**
 * The fields that change during a membership. Each change creates a new array, so that arrays are compared by
 * identity.
 */
export interface MemberContents {
  /** The names of the topics that the member subscribes to. */
  readonly topics: readonly string[]
  /** The partitions that it owns. Sending them acknowledges what it has given up. */
  readonly owned: readonly AssignedTopic[]
}

type Body = Encodable<typeof consumerGroupHeartbeat.request.fields>

export interface NextHeartbeat {
  readonly body: Pick<Body, 'instanceId'> & Partial<Body>
  readonly contents: MemberContents
}

/**
 * Decides which fields the next heartbeat has. A member sends all fields when it joins and after an error or a lost
 * response, because it is unknown if the coordinator has processed the last heartbeat; otherwise only the fields that
 * have changed since the last response. The coordinator responds to a heartbeat with all fields with the whole
 * assignment.
 */
export class HeartbeatFields {
  readonly #settings: ConsumerGroupSettings
  /** The fields that the coordinator has confirmed. */
  #confirmed: MemberContents | undefined
  #hasToSendOwned = false

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
        ...(confirmed?.owned === contents.owned && !this.#hasToSendOwned
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

  /** The response to the heartbeat with these fields arrived. */
  confirm(contents: MemberContents): void {
    this.#confirmed = contents
    this.#hasToSendOwned = false
  }

  /** Makes the next heartbeat have the owned partitions, also if they have not changed. */
  forgetOwned(): void {
    this.#hasToSendOwned = true
  }

  /** Makes the next heartbeat have all fields. */
  forget(): void {
    this.#confirmed = undefined
  }
}
