import type { ConsumerSettings } from '../options.ts'

/** The settings of a consumer that concern fetching. */
export type FetchSettings = Pick<
  ConsumerSettings<unknown, unknown>,
  | 'resetTo'
  | 'stopAtEnd'
  | 'isReadCommitted'
  | 'skipCorrupt'
  | 'reuseMemory'
  | 'fetchMessageMaxBytes'
  | 'fetchMinBytes'
  | 'fetchWaitMaxMs'
  | 'fetchBackoff'
  | 'numConsumerFetchers'
  | 'queuedMaxBytes'
  | 'decompressedBatchMaxBytes'
  | 'queuedMaxMessages'
  | 'clientRack'
>
