import type { BalancedConsumerOptions } from '../../../src/index.ts'

/** What a member is started with, as JSON. */
export interface MemberOptions {
  readonly hosts: string
  readonly topic: string
  /** For getBalancedConsumer. */
  readonly consumer: BalancedConsumerOptions
}

/** What a member tells the process that started it. */
export type MemberEvent =
  | { readonly what: 'ready' }
  | {
      readonly what: 'assigned' | 'revoked' | 'lost'
      readonly partitions: readonly number[]
    }
  | { readonly what: 'read'; readonly messages: readonly ReadMessage[] }
  /** The offsets of the next messages, by partition, that are committed for certain. */
  | { readonly what: 'committed'; readonly offsets: ReadonlyMap<number, number> }
  /** What went wrong and is tried again, or after which it ends. */
  | { readonly what: 'trouble' | 'failed'; readonly message: string }

export interface ReadMessage {
  readonly partition: number
  readonly offset: number
  readonly checksum: string
}
