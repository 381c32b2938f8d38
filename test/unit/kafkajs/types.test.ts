import { describe, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import type * as Theirs from 'kafkajs'
import * as layer from '../../../src/kafkajs/index.ts'

/** True if each type can be used in place of the other, which `npm run typecheck` checks. */
type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : 'is wider') : 'is not assignable'

function holds<T extends true>(): T | undefined {
  return undefined
}

describe('the types of samsa/kafkajs', () => {
  it('can be used in place of those of kafkajs, and the other way round', () => {
    const compared = [
      holds<Both<layer.Kafka, Theirs.Kafka>>(),
      holds<Both<layer.Admin, Theirs.Admin>>(),
      holds<Both<layer.Producer, Theirs.Producer>>(),
      holds<Both<layer.Transaction, Theirs.Transaction>>(),
      holds<Both<layer.Consumer, Theirs.Consumer>>(),
      holds<Both<layer.KafkaConfig, Theirs.KafkaConfig>>(),
      holds<Both<layer.ProducerConfig, Theirs.ProducerConfig>>(),
      holds<Both<layer.AdminConfig, Theirs.AdminConfig>>(),
      holds<Both<layer.ConsumerRunConfig, Theirs.ConsumerRunConfig>>(),
      holds<Both<layer.EachBatchPayload, Theirs.EachBatchPayload>>(),
      holds<Both<layer.EachMessagePayload, Theirs.EachMessagePayload>>(),
      holds<Both<layer.KafkaMessage, Theirs.KafkaMessage>>(),
      holds<Both<layer.PartitionAssigner, Theirs.PartitionAssigner>>(),
      holds<Both<layer.Mechanism, Theirs.Mechanism>>(),
      holds<Both<layer.SASLOptions, Theirs.SASLOptions>>(),
      holds<Both<layer.ICustomPartitioner, Theirs.ICustomPartitioner>>(),
      holds<Both<layer.logCreator, Theirs.logCreator>>(),
      holds<Both<layer.ISocketFactory, Theirs.ISocketFactory>>(),
      holds<Both<layer.RecordMetadata, Theirs.RecordMetadata>>(),
      holds<Both<layer.CompressionTypes, Theirs.CompressionTypes>>(),
      holds<Both<layer.KafkaJSProtocolError, Theirs.KafkaJSProtocolError>>(),
      holds<Both<layer.KafkaJSNumberOfRetriesExceeded, Theirs.KafkaJSNumberOfRetriesExceeded>>(),
    ]
    expect(compared).toHaveLength(22)
  })

  it('let the whole module replace kafkajs', () => {
    const inPlaceOfKafkajs: Omit<typeof Theirs, 'default'> = layer
    expect(inPlaceOfKafkajs.Kafka).toBe(layer.Kafka)
  })

  it('accept consumer options of kafkajs, and more', () => {
    const config: layer.ConsumerConfig = { groupId: 'g' } satisfies Theirs.ConsumerConfig
    expect(config.groupId).toBe('g')
  })
})

describe('the exports of samsa/kafkajs', () => {
  it('have all names of kafkajs and no others', () => {
    expect(Object.keys(layer).sort()).toEqual(Object.keys(kafkajs).sort())
  })

  const enums = [
    'logLevel',
    'CompressionTypes',
    'ConfigResourceTypes',
    'ConfigSource',
    'AclResourceTypes',
    'AclOperationTypes',
    'AclPermissionTypes',
    'ResourcePatternTypes',
  ] as const
  it.each(enums)('have the values of %s', (name) => {
    expect(layer[name]).toEqual(kafkajs[name])
  })
})
