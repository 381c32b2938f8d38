import { produce } from '../../../protocol/apis/produce.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Decoded } from '../../../protocol/schema/fields.ts'
import type { Partition, ProducerOfBatch } from '../cluster/partition.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { requestRecords } from '../log/request-records.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { throttle } from './throttle.ts'
import { joinTransaction } from './transactions.ts'
import {
  ledPartitionOf,
  leaderHint,
  topicOf,
  uniqueEndpoints,
  type RequestContext,
} from '../api/context.ts'
import { handler } from '../api/handler.ts'

type Request = Decoded<typeof produce.request.fields>
type TopicData = Request['topicData'][number]
type PartitionData = TopicData['partitionData'][number]

const WITH_LEADER_HINTS = 10
const WITH_TOPIC_IDS = 13
const NO_ACKS = 0
const ALL_ACKS = -1

export const produceHandler = handler(produce, {
  injectsErrors: true,
  handle(request, context) {
    const answers = request.topicData.map((topic) => ({
      ...nameOf(topic, context.version),
      partitionResponses: topic.partitionData.map((data) => append(request, topic, data, context)),
    }))
    throttle(context, 'producer_byte_rate', context.sizeBytes)
    if (request.acks !== NO_ACKS) return responseOf(answers, context)
    // acks=0 has no response that could report an error: the closed connection shows the producer
    // that something failed.
    const failed = answers.flatMap((answer) => answer.partitionResponses).find(hasFailed)
    if (failed === undefined) return undefined
    throw new UnacknowledgedError(failed.errorCode)
  },
  refuse: (errorCode, request, { version }) => ({
    responses: request.topicData.map((topic) => ({
      ...nameOf(topic, version),
      partitionResponses: topic.partitionData.map(({ index }) => failure(index, errorCode)),
    })),
  }),
})

/** Closes the connection, as Kafka does. */
class UnacknowledgedError extends Error {
  override readonly name = 'UnacknowledgedError'

  constructor(errorCode: number) {
    super(`a produce request with acks 0 failed with error ${errorCode}`)
  }
}

interface PartitionAnswer {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: bigint
  readonly logAppendTimeMs: bigint
  readonly logStartOffset: bigint
  readonly errorMessage?: string | null
  readonly recordErrors?: readonly { batchIndex: number; batchIndexErrorMessage: string }[]
  readonly partition?: Partition | undefined
}

function append(
  { acks, transactionalId }: Request,
  { name, topicId }: TopicData,
  { index, records }: PartitionData,
  context: RequestContext,
): PartitionAnswer {
  const { cluster, version } = context
  let partition: Partition | undefined
  let log: PartitionLog | undefined
  const outcome = outcomeOf(() => {
    if (acks < ALL_ACKS || acks > 1) throw new Refused('INVALID_REQUIRED_ACKS')
    const topic = topicOf(
      context,
      { name, id: version >= WITH_TOPIC_IDS ? topicId : undefined },
      'write',
    )
    const sent = requestRecords(records, version)
    partition = topic.partitions[index]
    const led = ledPartitionOf(context, topic, index)
    log = led.log
    if (acks === ALL_ACKS && led.isr.length < topic.config.minInsyncReplicas) {
      throw new Refused('NOT_ENOUGH_REPLICAS')
    }
    const checkTransaction = (producer: ProducerOfBatch) => {
      // An error before the log was reached.
      log = undefined
      joinTransaction(transactionalId, producer, led, context)
      log = led.log
    }
    return led.append(sent, version, topic.config, cluster.nowMs(), checkTransaction)
  })
  if (outcome.refused !== undefined) return refusedAppend(index, outcome.refused, partition, log)
  const { baseOffset, logAppendTimeMs } = outcome.value
  return {
    index,
    errorCode: 0,
    baseOffset: BigInt(baseOffset),
    logAppendTimeMs: BigInt(logAppendTimeMs),
    logStartOffset: BigInt(log?.startOffset ?? -1),
  }
}

/**
 * Kafka gives details only for single records, and the log start offset only if the log was
 * reached.
 */
function refusedAppend(
  index: number,
  { error, errorCode, detail, recordErrors }: Refused,
  partition: Partition | undefined,
  log: PartitionLog | undefined,
): PartitionAnswer {
  const knowsLog = log !== undefined && error !== 'MESSAGE_TOO_LARGE' && error !== 'CORRUPT_MESSAGE'
  return {
    ...failure(index, errorCode),
    ...(knowsLog ? { logStartOffset: BigInt(log.startOffset) } : {}),
    errorMessage: recordErrors.length > 0 || error === 'INVALID_TXN_STATE' ? detail : null,
    recordErrors: recordErrors.map(({ batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    })),
    partition,
  }
}

function failure(index: number, errorCode: number) {
  return { index, errorCode, baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n }
}

function hasFailed({ errorCode }: PartitionAnswer): boolean {
  return errorCode !== 0
}

function nameOf({ name, topicId }: TopicData, version: number) {
  return version >= WITH_TOPIC_IDS ? { topicId } : { name }
}

function responseOf(
  answers: readonly {
    readonly name?: string
    readonly topicId?: string
    readonly partitionResponses: readonly PartitionAnswer[]
  }[],
  context: RequestContext,
) {
  const hintOf = ({ errorCode, partition }: PartitionAnswer) =>
    errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER && context.version >= WITH_LEADER_HINTS
      ? leaderHint(context, partition)
      : undefined
  const hints = answers.flatMap(({ partitionResponses }) => partitionResponses.map(hintOf))
  return {
    responses: answers.map(({ partitionResponses, ...topic }) => ({
      ...topic,
      partitionResponses: partitionResponses.map(({ partition, ...answer }) => {
        const hint = hintOf({ ...answer, partition })
        if (hint === undefined) return answer
        return {
          ...answer,
          currentLeader: { leaderId: hint.leaderId, leaderEpoch: hint.leaderEpoch },
        }
      }),
    })),
    ...(context.version >= WITH_LEADER_HINTS
      ? { nodeEndpoints: uniqueEndpoints(hints.map((hint) => hint?.endpoint)) }
      : {}),
  }
}
