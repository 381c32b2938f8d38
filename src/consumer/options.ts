import { aBoolean, anArrayOf, anInteger, checkOptions, either, oneOf } from '../options.ts'

export interface SimpleConsumerOptions {
  /** Only these partitions. Default: all. */
  readonly partitions?: readonly number[]
  /**
   * Where to start, and where to go on when the position is no longer in the log: `earliest`, `latest`,
   * or (at the start only) the first message at or after a time in milliseconds since 1970.
   * Default: `latest`.
   */
  readonly autoOffsetReset?: 'earliest' | 'latest' | number
  /** End the iteration at what was the end of each partition when the consumer started. Default: false. */
  readonly stopAtEnd?: boolean
  /** How much of a partition to ask for in one request. Larger messages come all the same. Default: 1 MiB. */
  readonly fetchMessageMaxBytes?: number
  /** How much there must be before a broker answers, up to `fetchWaitMaxMs`. Default: 1. */
  readonly fetchMinBytes?: number
  /** How long a broker waits for `fetchMinBytes`. Default: 500. */
  readonly fetchWaitMaxMs?: number
}

export type SimpleConsumerSettings = Required<Omit<SimpleConsumerOptions, 'partitions'>> &
  Pick<SimpleConsumerOptions, 'partitions'>

export function simpleConsumerSettings(options: SimpleConsumerOptions): SimpleConsumerSettings {
  checkOptions<SimpleConsumerOptions>('getSimpleConsumer', options, {
    partitions: anArrayOf(anInteger(0)),
    autoOffsetReset: either(oneOf('earliest', 'latest'), anInteger(0)),
    stopAtEnd: aBoolean,
    fetchMessageMaxBytes: anInteger(1, 0x3fffffff),
    fetchMinBytes: anInteger(0, 0x7fffffff),
    fetchWaitMaxMs: anInteger(0, 0x7fffffff),
  })
  return {
    ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
    autoOffsetReset: options.autoOffsetReset ?? 'latest',
    stopAtEnd: options.stopAtEnd ?? false,
    fetchMessageMaxBytes: options.fetchMessageMaxBytes ?? 1024 * 1024,
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchWaitMaxMs: options.fetchWaitMaxMs ?? 500,
  }
}
