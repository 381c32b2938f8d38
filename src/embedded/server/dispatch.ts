/** The handler of each API, and the supported versions. */
import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { apiOf } from '../../../protocol/apis/index.ts'
import { getTelemetrySubscriptions } from '../../../protocol/apis/get-telemetry-subscriptions.ts'
import { produce } from '../../../protocol/apis/produce.ts'
import { pushTelemetry } from '../../../protocol/apis/push-telemetry.ts'
import { decodeRequestHeader, encodeResponse } from '../../../protocol/headers.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { apiVersionsHandler, type AdvertisedApis } from '../handlers/api-versions.ts'
import {
  alterConfigsHandler,
  describeConfigsHandler,
  incrementalAlterConfigsHandler,
} from '../handlers/configs.ts'
import { listConfigResourcesHandler } from '../handlers/config-resources.ts'
import { createAclsHandler, deleteAclsHandler, describeAclsHandler } from '../handlers/acls.ts'
import { alterClientQuotasHandler, describeClientQuotasHandler } from '../handlers/client-quotas.ts'
import {
  getTelemetrySubscriptionsHandler,
  pushTelemetryHandler,
} from '../handlers/client-metrics.ts'
import {
  createDelegationTokenHandler,
  describeDelegationTokenHandler,
  expireDelegationTokenHandler,
  renewDelegationTokenHandler,
} from '../handlers/delegation-tokens.ts'
import {
  alterUserScramCredentialsHandler,
  describeUserScramCredentialsHandler,
} from '../handlers/scram-users.ts'
import {
  consumerGroupDescribeHandler,
  consumerGroupHeartbeatHandler,
} from '../handlers/consumer-groups.ts'
import { deleteRecordsHandler } from '../handlers/delete-records.ts'
import { describeClusterHandler } from '../handlers/describe-cluster.ts'
import { describeTopicPartitionsHandler } from '../handlers/describe-topic-partitions.ts'
import { findCoordinatorHandler } from '../handlers/find-coordinator.ts'
import {
  deleteGroupsHandler,
  describeGroupsHandler,
  listGroupsHandler,
  offsetDeleteHandler,
} from '../handlers/group-admin.ts'
import {
  heartbeatHandler,
  joinGroupHandler,
  leaveGroupHandler,
  syncGroupHandler,
} from '../handlers/groups.ts'
import { offsetCommitHandler, offsetFetchHandler } from '../handlers/offsets.ts'
import { describeQuorumHandler, updateFeaturesHandler } from '../handlers/features.ts'
import { alterReplicaLogDirsHandler, describeLogDirsHandler } from '../handlers/log-dirs.ts'
import { describeProducersHandler, writeTxnMarkersHandler } from '../handlers/producers.ts'
import {
  alterPartitionReassignmentsHandler,
  electLeadersHandler,
  listPartitionReassignmentsHandler,
} from '../handlers/reassignments.ts'
import { fetchHandler } from '../handlers/fetch.ts'
import { listOffsetsHandler } from '../handlers/list-offsets.ts'
import { metadataHandler } from '../handlers/metadata.ts'
import { offsetForLeaderEpochHandler } from '../handlers/offset-for-leader-epoch.ts'
import { shareAcknowledgeHandler, shareFetchHandler } from '../handlers/share-fetch.ts'
import {
  alterShareGroupOffsetsHandler,
  deleteShareGroupOffsetsHandler,
  describeShareGroupOffsetsHandler,
  shareGroupDescribeHandler,
  shareGroupHeartbeatHandler,
} from '../handlers/share-groups.ts'
import { unregisterBrokerHandler } from '../handlers/registrations.ts'
import { streamsGroupDescribeHandler } from '../handlers/streams-groups.ts'
import { produceHandler } from '../handlers/produce.ts'
import { saslAuthenticateHandler, saslHandshakeHandler } from '../handlers/sasl.ts'
import {
  describeTransactionsHandler,
  listTransactionsHandler,
} from '../handlers/transaction-admin.ts'
import { txnOffsetCommitHandler } from '../handlers/transaction-offsets.ts'
import {
  addOffsetsToTxnHandler,
  addPartitionsToTxnHandler,
  endTxnHandler,
  initProducerIdHandler,
} from '../handlers/transactions.ts'
import {
  createPartitionsHandler,
  createTopicsHandler,
  deleteTopicsHandler,
} from '../handlers/topics.ts'
import type { KafkaProfile } from '../versions/profiles.ts'
import type { SupportedVersions } from '../versions/api-tables.ts'
import type { RequestContext } from '../api/context.ts'
import type { Call, Frame, Handler } from '../api/handler.ts'

const HANDLERS: readonly Handler[] = [
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  createTopicsHandler,
  deleteTopicsHandler,
  deleteRecordsHandler,
  initProducerIdHandler,
  addPartitionsToTxnHandler,
  addOffsetsToTxnHandler,
  endTxnHandler,
  txnOffsetCommitHandler,
  describeTransactionsHandler,
  listTransactionsHandler,
  offsetForLeaderEpochHandler,
  describeConfigsHandler,
  alterConfigsHandler,
  createPartitionsHandler,
  incrementalAlterConfigsHandler,
  describeClusterHandler,
  describeTopicPartitionsHandler,
  findCoordinatorHandler,
  joinGroupHandler,
  syncGroupHandler,
  heartbeatHandler,
  leaveGroupHandler,
  offsetCommitHandler,
  offsetFetchHandler,
  listGroupsHandler,
  describeGroupsHandler,
  deleteGroupsHandler,
  offsetDeleteHandler,
  consumerGroupHeartbeatHandler,
  consumerGroupDescribeHandler,
  saslHandshakeHandler,
  saslAuthenticateHandler,
  createAclsHandler,
  deleteAclsHandler,
  describeAclsHandler,
  alterClientQuotasHandler,
  describeClientQuotasHandler,
  createDelegationTokenHandler,
  describeDelegationTokenHandler,
  expireDelegationTokenHandler,
  renewDelegationTokenHandler,
  alterUserScramCredentialsHandler,
  describeUserScramCredentialsHandler,
  alterPartitionReassignmentsHandler,
  listPartitionReassignmentsHandler,
  electLeadersHandler,
  describeLogDirsHandler,
  alterReplicaLogDirsHandler,
  updateFeaturesHandler,
  describeQuorumHandler,
  describeProducersHandler,
  writeTxnMarkersHandler,
  shareGroupHeartbeatHandler,
  shareGroupDescribeHandler,
  shareFetchHandler,
  shareAcknowledgeHandler,
  describeShareGroupOffsetsHandler,
  alterShareGroupOffsetsHandler,
  deleteShareGroupOffsetsHandler,
  getTelemetrySubscriptionsHandler,
  pushTelemetryHandler,
  streamsGroupDescribeHandler,
  listConfigResourcesHandler,
  unregisterBrokerHandler,
]

/** 4.x reports Produce from v0 on, because librdkafka would not start otherwise (KIP-896). */
const PRODUCE_REALLY_FROM = 3
const FETCH_OF_KAFKA_4 = 4

const TELEMETRY_APIS: readonly number[] = [getTelemetrySubscriptions.key, pushTelemetry.key]

/** A valid request: its header, and the handler to run. */
export interface DispatchedCall {
  readonly handler: Handler
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly sizeBytes: number
  readonly call: Call
}

/** A rejection is undefined if the presented Kafka sends no response. */
export type Dispatched = DispatchedCall | { readonly refusal: Frame | undefined }

/** Closes the connection, as Kafka does for requests that it cannot read. */
class UnreadableRequestError extends Error {
  override readonly name = 'UnreadableRequestError'
}

export class Dispatch {
  readonly #profile: KafkaProfile
  readonly #handlers: ReadonlyMap<number, Handler>
  readonly #advertised: AdvertisedApis

  constructor(profile: KafkaProfile, more: readonly Handler[] = []) {
    this.#profile = profile
    const all = [...HANDLERS, ...more, apiVersionsHandler((context) => this.#advertisedIn(context))]
    this.#handlers = new Map(
      all.filter(({ key }) => profile.apis.has(key)).map((handler) => [handler.key, handler]),
    )
    this.#advertised = [...profile.apis]
      .filter(([key]) => this.#handlers.has(key))
      .map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max }))
  }

  /** Brokers without a plugin for the metrics of clients do not report the APIs for them. */
  #advertisedIn({ cluster, broker }: RequestContext): AdvertisedApis {
    if (cluster.clientMetrics.isReceiving(broker.id)) return this.#advertised
    return this.#advertised.filter(({ apiKey }) => !TELEMETRY_APIS.includes(apiKey))
  }

  /** Throws UnreadableRequestError or ProtocolError. */
  open(frame: Buffer): Dispatched {
    const { header, body } = decodeRequestHeader(frame, apiOf)
    const { apiKey, apiVersion: version, correlationId, clientId } = header
    const handler = this.#handlers.get(apiKey)
    const supported = this.#profile.apis.get(apiKey)
    if (handler === undefined || supported === undefined) {
      return this.#unknown(`API with key ${apiKey}`)
    }
    if (version < this.#lowest(apiKey, supported) || version > supported.max) {
      if (apiKey === apiVersions.key) return { refusal: this.#refuseApiVersions(correlationId) }
      return this.#unknown(`${handler.name} v${version}`)
    }
    const call = handler.open(version, body)
    return { handler, version, correlationId, clientId, sizeBytes: frame.length, call }
  }

  #unknown(what: string): Dispatched {
    const { version, ignoresUnknownRequests } = this.#profile
    if (ignoresUnknownRequests) return { refusal: undefined }
    throw new UnreadableRequestError(`the presented Kafka ${version} does not have ${what}`)
  }

  #lowest(apiKey: number, { min }: SupportedVersions): number {
    const isKafka4 = this.#profile.apis.get(1)?.min === FETCH_OF_KAFKA_4
    return apiKey === produce.key && isKafka4 ? PRODUCE_REALLY_FROM : min
  }

  /**
   * Always in v0, which every client can read. Since 2.4 it contains the supported versions
   * (KIP-511).
   */
  #refuseApiVersions(correlationId: number): Frame {
    const known = this.#advertised.filter(({ apiKey }) => apiKey === apiVersions.key)
    return encodeResponse(apiVersions, 0, correlationId, {
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: this.#profile.refusalNamesApiVersions ? known : [],
    })
  }
}
