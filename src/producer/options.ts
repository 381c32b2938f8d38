import type { Compression } from '../../protocol/compression/index.ts'
import { aFunction, anInteger, checkOptions, oneOf } from '../options.ts'
import { defaultPartitioner, type Partitioner } from './partitioner.ts'

export interface ProducerOptions {
  /** Default: `none`. */
  readonly compression?: Compression
  /** Who must have a message before it counts: -1 all in-sync replicas, 1 the leader, 0 nobody. Default: -1. */
  readonly requiredAcks?: -1 | 0 | 1
  /** How long the brokers may take to gather the acks. Default: 10,000. */
  readonly ackTimeoutMs?: number
  /** How long a batch waits for company. 0 sends at the end of the tick. Default: 0. */
  readonly lingerMs?: number
  /** The largest batch, and with that the largest message, before compression. Default: 1,000,012. */
  readonly maxRequestSize?: number
  /** How much may be queued before `ready()` makes callers wait. Default: 32 MiB. */
  readonly maxQueuedBytes?: number
  /** By when a message is acknowledged or its promise rejected, all retries included. Default: 120,000. */
  readonly deliveryTimeoutMs?: number
  /** Default: murmur2 of the key as in Java; in turn without a key. */
  readonly partitioner?: Partitioner
}

export type ProducerSettings = Required<ProducerOptions>

export function producerSettings(options: ProducerOptions): ProducerSettings {
  checkOptions<ProducerOptions>('getProducer', options, {
    compression: oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    requiredAcks: oneOf(-1, 0, 1),
    ackTimeoutMs: anInteger(1),
    lingerMs: anInteger(0),
    maxRequestSize: anInteger(1, 0x7fffffff),
    maxQueuedBytes: anInteger(1),
    deliveryTimeoutMs: anInteger(1),
    partitioner: aFunction,
  })
  return {
    compression: options.compression ?? 'none',
    requiredAcks: options.requiredAcks ?? -1,
    ackTimeoutMs: options.ackTimeoutMs ?? 10_000,
    lingerMs: options.lingerMs ?? 0,
    maxRequestSize: options.maxRequestSize ?? 1_000_012,
    maxQueuedBytes: options.maxQueuedBytes ?? 32 * 1024 * 1024,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    partitioner: options.partitioner ?? defaultPartitioner(),
  }
}
