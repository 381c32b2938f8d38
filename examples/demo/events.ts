import type { BalancedConsumerOptions } from 'samsa'

/** The options of a member, passed as JSON. */
export interface MemberOptions {
  readonly hosts: string
  readonly topic: string
  /** The options of getBalancedConsumer. */
  readonly consumer: BalancedConsumerOptions
}

/** The events that a member sends to its parent process. */
export type MemberEvent =
  | { readonly what: 'ready' }
  | {
      readonly what: 'assigned' | 'revoked' | 'lost'
      readonly partitions: readonly number[]
    }
  | { readonly what: 'read'; readonly messages: readonly ReadMessage[] }
  /** The next offset by partition, after a successful commit. */
  | { readonly what: 'committed'; readonly offsets: ReadonlyMap<number, number> }
  /** An error that the member retries after (`trouble`), or that ends it (`failed`). */
  | { readonly what: 'trouble' | 'failed'; readonly message: string }

export interface ReadMessage {
  readonly partition: number
  readonly offset: number
  readonly checksum: string
}
