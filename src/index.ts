export { KafkaClient, type KafkaClientOptions } from './client.ts'
export { Topic } from './topic.ts'
export type { PartitionMetadata } from './cluster/metadata.ts'

export { Producer, type ProduceOptions } from './producer/producer.ts'
export type { ProducerOptions } from './producer/options.ts'
export type { RecordMetadata } from './producer/batch.ts'
export type { Data, HeadersInit } from './producer/serialize.ts'
export { defaultPartitioner, type Partitioner } from './producer/partitioner.ts'
export type { Compression } from '../protocol/compression/index.ts'

export { SimpleConsumer, type ConsumeOptions } from './consumer/simple-consumer.ts'
export type { SimpleConsumerOptions } from './consumer/options.ts'
export type { OffsetSpec } from './consumer/list-offsets.ts'
export { Message, type MessageHeader } from '../protocol/records/message.ts'
export type { MessageBatch } from '../protocol/records/message-batch.ts'

export * from './errors.ts'
export { EncodeError, ProtocolError } from '../protocol/protocol-error.ts'
