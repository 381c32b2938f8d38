import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { GroupEvent, GroupJoinedEvent, KafkaClient, RequestEvent } from '../../index.ts'
import { onRequests, watchNetwork } from '../connection/network-events.ts'
import type { Emitter } from '../emitter.ts'
import { CONSUMER_EVENTS } from '../events.ts'
import { declaredAsNumber } from '../text.ts'
import type { Logger } from '../types/common.ts'
import type { ConsumerEventMap, IMemberAssignment } from '../types/events.ts'

export interface GroupEventsParts {
  readonly client: KafkaClient
  readonly groupId: string
  readonly emitter: Emitter<ConsumerEventMap>
  readonly logger: Logger
  readonly subscribed: () => readonly string[]
}

/** Emits the events of a consumer about its group, fetches and requests, from samsa's diagnostics channels. */
export class GroupEvents {
  readonly #parts: GroupEventsParts
  readonly #stops: readonly (() => void)[]
  /** The node ids of the brokers that are known. */
  readonly #nodeIds = new Set<number>()
  #joined: GroupJoinedEvent | undefined

  constructor(parts: GroupEventsParts) {
    this.#parts = parts
    const { client, emitter } = parts
    const { FETCH, FETCH_START, HEARTBEAT } = CONSUMER_EVENTS
    this.#stops = [
      watchNetwork(client, {
        emitter,
        names: CONSUMER_EVENTS,
        request: (event) => emitter.emit(CONSUMER_EVENTS.REQUEST, event),
        requestTimeout: (event) => emitter.emit(CONSUMER_EVENTS.REQUEST_TIMEOUT, event),
      }),
      emitter.whileListening([FETCH, FETCH_START, HEARTBEAT], () =>
        onRequests(client, (event) => this.#onRequest(event)),
      ),
    ]
    subscribe('samsa:group', this.#onGroup)
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    unsubscribe('samsa:group', this.#onGroup)
  }

  /** Loads the node ids of the brokers, from all of which fetching starts when the group is joined. */
  async learnBrokers(): Promise<void> {
    for (const { id } of await this.#parts.client.brokers.list()) this.#nodeIds.add(id)
  }

  #onRequest({ api, nodeId, error, durationMs }: RequestEvent): void {
    if (error !== undefined) return
    if (api === 'Fetch') this.#onFetched(nodeId, Math.round(durationMs))
    if (api === 'Heartbeat') this.#onHeartbeat()
  }

  /** samsa does not report the start of a fetch: the next fetch of a broker starts when the previous one has ended. */
  #onFetched(nodeId: number, duration: number): void {
    const { emitter } = this.#parts
    this.#nodeIds.add(nodeId)
    emitter.emit(CONSUMER_EVENTS.FETCH, {
      numberOfBatches: 0,
      duration,
      nodeId: declaredAsNumber(nodeId),
    })
    emitter.emit(CONSUMER_EVENTS.FETCH_START, { nodeId: declaredAsNumber(nodeId) })
  }

  #onHeartbeat(): void {
    if (this.#joined === undefined) return
    const { group, memberId, generation } = this.#joined
    this.#parts.emitter.emit(CONSUMER_EVENTS.HEARTBEAT, {
      groupId: group,
      memberId,
      groupGenerationId: generation,
    })
  }

  readonly #onGroup = (message: unknown): void => {
    // A channel has no type for what it publishes.
    const event = message as GroupEvent
    const { client, groupId, emitter, logger } = this.#parts
    if (event.instanceId !== client.instanceId) return
    const { memberId } = event
    if (event.kind === 'rebalancing') {
      logger.warn('The group is rebalancing, re-joining', { groupId, memberId })
      emitter.emit(CONSUMER_EVENTS.REBALANCING, { groupId, memberId })
      return
    }
    this.#joined = event
    const assignment = assignmentOf(event)
    this.#emitUnsubscribed(event, Object.keys(assignment))
    const payload = {
      groupId,
      memberId,
      leaderId: event.leaderId,
      isLeader: event.leaderId === memberId,
      memberAssignment: this.#subscribedOf(assignment),
      groupProtocol: event.assignor,
      duration: Math.round(event.durationMs),
    }
    emitter.emit(CONSUMER_EVENTS.GROUP_JOIN, payload)
    logger.info('Consumer has joined the group', payload)
    for (const nodeId of this.#nodeIds) {
      emitter.emit(CONSUMER_EVENTS.FETCH_START, { nodeId: declaredAsNumber(nodeId) })
    }
  }

  #subscribedOf(assignment: IMemberAssignment): IMemberAssignment {
    const topics = this.#parts.subscribed()
    return Object.fromEntries(
      Object.entries(assignment).filter(([topic]) => topics.includes(topic)),
    )
  }

  #emitUnsubscribed(event: GroupJoinedEvent, assignedTopics: string[]): void {
    const { groupId, emitter, logger } = this.#parts
    const topicsSubscribed = [...this.#parts.subscribed()]
    const topicsNotSubscribed = assignedTopics.filter((one) => !topicsSubscribed.includes(one))
    if (topicsNotSubscribed.length === 0) return
    const payload = {
      groupId,
      generationId: event.generation,
      memberId: event.memberId,
      assignedTopics,
      topicsSubscribed,
      topicsNotSubscribed,
    }
    emitter.emit(CONSUMER_EVENTS.RECEIVED_UNSUBSCRIBED_TOPICS, payload)
    logger.warn('Consumer group received unsubscribed topics', payload)
  }
}

function assignmentOf({ assignment }: GroupJoinedEvent): IMemberAssignment {
  const found: IMemberAssignment = {}
  for (const { topic, partition } of assignment) (found[topic] ??= []).push(partition)
  return found
}
