import type { ConsumerSettings } from '../options.ts'

/** What of a consumer's settings concerns fetching. */
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
