import {
  alterPartitionReassignments,
  ErrorCode,
  listPartitionReassignments,
} from '../../../protocol/index.ts'
import { protocolErrorOf } from '../error-from.ts'
import { KafkaJSAggregateError, KafkaJSAlterPartitionReassignmentsError } from '../errors.ts'
import type { Admin } from '../types/admin.ts'
import { checkTopicList, operate, refuse, type AdminParts } from './context.ts'

const DEFAULT_TIMEOUT_MS = 5_000

type ReassignmentOperations = Pick<
  Admin,
  'alterPartitionReassignments' | 'listPartitionReassignments'
>

export function reassignmentOperations(parts: AdminParts): ReassignmentOperations {
  return {
    alterPartitionReassignments: async ({ topics, timeout = DEFAULT_TIMEOUT_MS }) => {
      checkTopicList(topics)
      for (const { topic, partitionAssignment } of topics)
        checkAssignment(topic, partitionAssignment)
      await operate(parts, async (client) => {
        const { responses } = await client.request(
          alterPartitionReassignments,
          {
            timeoutMs: timeout,
            topics: topics.map(({ topic, partitionAssignment }) => ({
              name: topic,
              partitions: partitionAssignment.map(({ partition, replicas }) => ({
                partitionIndex: partition,
                replicas,
              })),
            })),
          },
          { to: 'controller' },
        )
        const errors = responses.flatMap(({ name, partitions }) =>
          partitions
            .filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
            .map(
              ({ partitionIndex, errorCode }) =>
                new KafkaJSAlterPartitionReassignmentsError(
                  protocolErrorOf(errorCode),
                  name,
                  partitionIndex,
                ),
            ),
        )
        if (errors.length === 0) return
        throw new KafkaJSAggregateError('Errors altering partition reassignments', errors)
      })
    },

    listPartitionReassignments: async ({ topics, timeout = DEFAULT_TIMEOUT_MS }) => {
      if (topics) {
        checkTopicList(topics)
        for (const { topic, partitions } of topics) checkPartitions(topic, partitions)
      }
      return operate(parts, async (client) => {
        const response = await client.request(
          listPartitionReassignments,
          {
            timeoutMs: timeout,
            topics:
              topics?.map(({ topic, partitions }) => ({
                name: topic,
                partitionIndexes: partitions,
              })) ?? null,
          },
          { to: 'controller' },
        )
        const found = response.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(
            ({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
              partition: partitionIndex,
              replicas: [...replicas],
              addingReplicas: [...addingReplicas],
              removingReplicas: [...removingReplicas],
            }),
          ),
        }))
        // kafkajs declares other names than it returns: both are here.
        return {
          topics: found.map(({ name, partitions }) => ({
            name,
            topic: name,
            partitions: partitions.map((one) => ({ ...one, partitionIndex: one.partition })),
          })),
        }
      })
    },
  }
}

function checkAssignment(topic: string, partitionAssignment: unknown): void {
  if (!Array.isArray(partitionAssignment)) {
    refuse(`Invalid partitions array: ${String(partitionAssignment)} for topic: ${topic}`)
  }
  const all: readonly { partition?: unknown; replicas?: unknown }[] = partitionAssignment
  for (const { partition, replicas } of all) {
    if (typeof partition !== 'number' || partition < 0) {
      refuse(`Invalid partitions index: ${String(partition)} for topic: ${topic}`)
    }
    const which = `${String(replicas)} for topic: ${topic} on partition: ${partition}`
    if (!Array.isArray(replicas)) refuse(`Invalid replica assignment: ${which}`)
    if (!replicas.every((one: unknown) => typeof one === 'number' && one >= 0)) {
      refuse(`Invalid replica assignment: ${which}. Replicas must be a non negative number`)
    }
  }
}

function checkPartitions(topic: string, partitions: unknown): void {
  const which = `${String(partitions)} for topic: ${topic}`
  if (!Array.isArray(partitions)) refuse(`Invalid partition array: ${which}`)
  if (!partitions.every((one: unknown) => typeof one === 'number' && one >= 0)) {
    refuse(
      `Invalid partition array: ${which}. The partition indices have to be a valid number greater than 0.`,
    )
  }
}
