import type { BalancedConsumerOptions } from '../../../../src/index.ts'

/**
 * What a member in a process of its own writes down: a line of JSON an event, with the machine's own clock
 * (CLOCK_MONOTONIC), which is the same for all processes.
 */
export type MemberEvent =
  /** It is about to join, has its first assignment, has left. */
  | { readonly at: number; readonly what: 'running' | 'started' | 'closed' }
  | {
      readonly at: number
      readonly what: 'assigned' | 'revoked' | 'given' | 'lost'
      readonly partitions: readonly number[]
    }
  | {
      readonly at: number
      /** It was delivered, and is in process from then on; it is processed. */
      readonly what: 'message' | 'processed'
      readonly partition: number
      readonly offset: number
    }
  | { readonly at: number; readonly what: 'error'; readonly message: string }
  /** What samsa's logger was told. */
  | { readonly at: number; readonly what: 'note'; readonly text: string }

/** Milliseconds. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** The offsets that the group was seen to have committed, by partition: each that of the next message. */
export interface Committed {
  /** When the brokers had answered. */
  readonly at: number
  readonly offsets: ReadonlyMap<number, number>
}

/** The ways to read that members take in turns. */
export const WAYS = ['for await', 'batches()', 'run()'] as const

/** What was done to a process, and when. */
export interface Deed {
  readonly at: number
  readonly what: 'start' | 'kill' | 'stop' | 'continue' | 'leave'
}

/** All that is known of a process. */
export interface Life {
  readonly name: string
  readonly events: readonly MemberEvent[]
  readonly deeds: readonly Deed[]
}

export interface MemberOptions {
  readonly hosts: string
  readonly topic: string
  /** Where it writes its events. */
  readonly log: string
  /** For getBalancedConsumer. */
  readonly consumer: BalancedConsumerOptions
  readonly commitIntervalMs: number
  readonly way: (typeof WAYS)[number]
}
