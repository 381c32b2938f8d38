/**
 * The error classes of kafkajs. Their `name`, `type`, `code` and `retriable` are the same as in kafkajs; the messages are
 * samsa's.
 */
import type { PartitionMetadata } from './types/common.ts'

export interface KafkaJSErrorMetadata {
  retriable?: boolean
  topic?: string
  partitionId?: number
  metadata?: PartitionMetadata
}

/** The fields that the constructors read from the error that they wrap. */
interface Described {
  readonly message: string
  readonly retriable?: unknown
  readonly type?: unknown
  readonly code?: unknown
  readonly helpUrl?: unknown
}

interface Cause {
  readonly cause?: unknown
}

export class KafkaJSError extends Error {
  override name: string
  readonly retriable: boolean
  readonly helpUrl?: string
  override readonly cause?: Error

  constructor(e: Error | string, metadata: KafkaJSErrorMetadata & Cause = {}) {
    super(typeof e === 'string' ? e : e.message)
    const { retriable = true, cause } = metadata
    this.name = 'KafkaJSError'
    this.retriable = retriable
    const { helpUrl } = described(e)
    if (typeof helpUrl === 'string') this.helpUrl = helpUrl
    // Any value can be thrown; kafkajs declares it as an Error.
    if (cause !== undefined) this.cause = cause as Error
  }
}

export class KafkaJSNonRetriableError extends KafkaJSError {
  constructor(e: Error | string, { cause }: Cause = {}) {
    super(e, { retriable: false, cause })
    this.name = 'KafkaJSNonRetriableError'
  }
}

export class KafkaJSProtocolError extends KafkaJSError {
  readonly code: number
  readonly type: string

  constructor(e: Error | string, metadata: { readonly retriable?: boolean } = {}) {
    const { retriable, type, code } = described(e)
    super(e, { retriable: metadata.retriable ?? retriable === true })
    // They are undefined only if an application created the error without them.
    this.type = type as string
    // As above.
    this.code = code as number
    this.name = 'KafkaJSProtocolError'
  }
}

export interface KafkaJSOffsetOutOfRangeMetadata {
  topic: string
  partition: number
}

export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  readonly topic: string
  readonly partition: number

  constructor(e: Error | string, { topic, partition }: KafkaJSOffsetOutOfRangeMetadata) {
    super(e)
    this.topic = topic
    this.partition = partition
    this.name = 'KafkaJSOffsetOutOfRange'
  }
}

export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  readonly memberId: string

  constructor(e: Error | string, { memberId }: { readonly memberId: string }) {
    super(e)
    this.memberId = memberId
    this.name = 'KafkaJSMemberIdRequired'
  }
}

export interface KafkaJSNumberOfRetriesExceededMetadata {
  retryCount: number
  retryTime: number
}

export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override readonly stack: string
  readonly retryCount: number
  readonly retryTime: number

  constructor(e: Error | string, metadata: KafkaJSNumberOfRetriesExceededMetadata) {
    super(e, { cause: e })
    this.stack = `${this.name}\n  Caused by: ${typeof e === 'string' ? e : e.stack}`
    this.retryCount = metadata.retryCount
    this.retryTime = metadata.retryTime
    this.name = 'KafkaJSNumberOfRetriesExceeded'
  }
}

export interface KafkaJSConnectionErrorMetadata {
  broker?: string
  code?: string
}

export class KafkaJSConnectionError extends KafkaJSError {
  readonly broker: string
  readonly code: string | undefined

  constructor(e: Error | string, { broker, code }: KafkaJSConnectionErrorMetadata = {}) {
    super(e)
    // kafkajs declares a string, but it is undefined there as well if it is not passed.
    this.broker = broker as string
    this.code = code
    this.name = 'KafkaJSConnectionError'
  }
}

export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  readonly host: string | undefined
  readonly port: number | undefined

  constructor(e: Error | string, metadata: { host?: string; port?: number } = {}) {
    const { host, port } = metadata
    super(e, { broker: `${host}:${port}` })
    this.host = host
    this.port = port
    this.name = 'KafkaJSConnectionClosedError'
  }
}

export interface KafkaJSRequestTimeoutErrorMetadata {
  broker: string
  clientId: string
  correlationId: number
  createdAt: number
  sentAt: number
  pendingDuration: number
}

export class KafkaJSRequestTimeoutError extends KafkaJSError {
  readonly broker: string
  readonly correlationId: number
  readonly createdAt: number
  readonly sentAt: number
  readonly pendingDuration: number

  constructor(e: Error | string, metadata: Partial<KafkaJSRequestTimeoutErrorMetadata> = {}) {
    super(e)
    this.broker = metadata.broker ?? ''
    this.correlationId = metadata.correlationId ?? 0
    this.createdAt = metadata.createdAt ?? 0
    this.sentAt = metadata.sentAt ?? 0
    this.pendingDuration = metadata.pendingDuration ?? 0
    this.name = 'KafkaJSRequestTimeoutError'
  }
}

export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  constructor(e: Error | string = 'metadata not loaded', metadata?: KafkaJSErrorMetadata) {
    super(e, metadata)
    this.name = 'KafkaJSMetadataNotLoaded'
  }
}

export interface KafkaJSTopicMetadataNotLoadedMetadata {
  topic: string
}

export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  readonly topic: string

  constructor(e: Error | string, metadata?: KafkaJSTopicMetadataNotLoadedMetadata) {
    super(e)
    this.topic = metadata?.topic ?? ''
    this.name = 'KafkaJSTopicMetadataNotLoaded'
  }
}

export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
  topic: string
  unknownPartitions: PartitionMetadata[]
}

export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  readonly topic: string
  readonly unknownPartitions: number

  constructor(e: Error | string, metadata?: KafkaJSStaleTopicMetadataAssignmentMetadata) {
    super(e)
    this.topic = metadata?.topic ?? ''
    // kafkajs declares a number, but stores the list that is passed.
    this.unknownPartitions = metadata?.unknownPartitions as unknown as number
    this.name = 'KafkaJSStaleTopicMetadataAssignment'
  }
}

export interface DeleteGroupsResult {
  groupId: string
  errorCode?: number
  error?: KafkaJSProtocolError
}

export interface KafkaJSDeleteGroupsErrorGroups {
  groupId: string
  errorCode: number
  error: KafkaJSError
}

export class KafkaJSDeleteGroupsError extends KafkaJSError {
  readonly groups: DeleteGroupsResult[]

  constructor(e: Error | string, groups: KafkaJSDeleteGroupsErrorGroups[] = []) {
    super(e)
    // kafkajs declares two types for the same thing.
    this.groups = groups as DeleteGroupsResult[]
    this.name = 'KafkaJSDeleteGroupsError'
  }
}

export interface KafkaJSServerDoesNotSupportApiKeyMetadata {
  apiKey: number
  apiName: string
}

export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  readonly apiKey: number
  readonly apiName: string

  constructor(e: Error | string, metadata?: KafkaJSServerDoesNotSupportApiKeyMetadata) {
    super(e)
    this.apiKey = metadata?.apiKey ?? -1
    this.apiName = metadata?.apiName ?? ''
    this.name = 'KafkaJSServerDoesNotSupportApiKey'
  }
}

export class KafkaJSBrokerNotFound extends KafkaJSError {
  constructor(e: Error | string = 'broker not found', metadata?: KafkaJSErrorMetadata) {
    super(e, metadata)
    this.name = 'KafkaJSBrokerNotFound'
  }
}

export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {
  constructor(e: Error | string = 'partial message') {
    super(e)
    this.name = 'KafkaJSPartialMessageError'
  }
}

export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  constructor(e: Error | string = 'SASL authentication failed', cause?: Cause) {
    super(e, cause)
    this.name = 'KafkaJSSASLAuthenticationError'
  }
}

export class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {
  constructor(e: Error | string = 'group coordinator not found') {
    super(e)
    this.name = 'KafkaJSGroupCoordinatorNotFound'
  }
}

export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  constructor(e: Error | string = 'not implemented') {
    super(e)
    this.name = 'KafkaJSNotImplemented'
  }
}

export class KafkaJSTimeout extends KafkaJSNonRetriableError {
  constructor(e: Error | string = 'timeout') {
    super(e)
    this.name = 'KafkaJSTimeout'
  }
}

export class KafkaJSLockTimeout extends KafkaJSTimeout {
  constructor(e: Error | string = 'timeout while waiting for a lock') {
    super(e)
    this.name = 'KafkaJSLockTimeout'
  }
}

export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {
  constructor(e: Error | string = 'unsupported magic byte in a message set') {
    super(e)
    this.name = 'KafkaJSUnsupportedMagicByteInMessageSet'
  }
}

export interface KafkaJSDeleteTopicRecordsErrorPartition {
  partition: number
  offset: string
  error: KafkaJSError
}

export interface KafkaJSDeleteTopicRecordsErrorTopic {
  topic: string
  partitions: KafkaJSDeleteTopicRecordsErrorPartition[]
}

export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[]

  /** The error is retriable if the errors of all partitions are. */
  constructor({ partitions }: KafkaJSDeleteTopicRecordsErrorTopic) {
    // Without types, callers may omit the error of a partition.
    const failed = partitions.filter(({ error }: { error?: KafkaJSError }) => error !== undefined)
    const retriable = failed.every(({ error }) => error.retriable)
    super('Error while deleting records', { retriable })
    this.name = 'KafkaJSDeleteTopicRecordsError'
    this.partitions = partitions
  }
}

export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  constructor(e: Error | string) {
    super(`Invariant violated: ${typeof e === 'string' ? e : e.message}`)
    this.name = 'KafkaJSInvariantViolation'
  }
}

export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {}

export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {}

export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  readonly topic: string

  constructor(e: Error | string, topicName: string) {
    super(e)
    this.topic = topicName
    this.name = 'KafkaJSCreateTopicError'
  }
}

export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  readonly topic?: string
  readonly partition?: number

  constructor(e: Error | string, topic?: string, partition?: number) {
    super(e)
    if (topic !== undefined) this.topic = topic
    if (partition !== undefined) this.partition = partition
    this.name = 'KafkaJSAlterPartitionReassignmentsError'
  }
}

export class KafkaJSAggregateError extends Error {
  override name = 'KafkaJSAggregateError'
  readonly errors: (Error | string)[]

  constructor(message: Error | string, errors: (Error | string)[]) {
    super(typeof message === 'string' ? message : message.message)
    this.errors = errors
  }
}

export class KafkaJSFetcherRebalanceError extends Error {}

export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  constructor() {
    super('No broker available')
    this.name = 'KafkaJSNoBrokerAvailableError'
  }
}

/** Whether the member only has to join its group again after this error. */
export function isRebalancing(error: unknown): boolean {
  return (
    error instanceof KafkaJSProtocolError &&
    ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP', 'ILLEGAL_GENERATION'].includes(
      error.type,
    )
  )
}

function described(e: Error | string): Described {
  return typeof e === 'string' ? { message: e } : e
}
