import { backoffMs } from './async/backoff.ts'
import { Deadline } from './async/deadline.ts'
import { aSignal } from './call-options.ts'
import { DeserializedMessage, type ConsumedMessage } from './consumer/consumed-message.ts'
import type { MessageHandler } from './consumer/delivery/run.ts'
import { KafkaError } from './errors.ts'
import { aDurationMs, aFunction, anInteger, anObject, checkOptions } from './options.ts'
import type { Data, HeadersInit } from './producer/serialize.ts'

/** What a message is sent to another topic with: a Producer of that topic is one. */
export interface DeadLetterProducer {
  produce(
    value: Data,
    options: {
      readonly key: Data
      readonly headers: HeadersInit
      readonly timestamp?: number
    },
  ): Promise<unknown>
}

export interface DeadLetterOptions<Value = Buffer | null, Key = Buffer | null> {
  /** Of the topic that messages go to that keep failing: `await client.topic('orders.dead').getProducer()`. */
  readonly producer: DeadLetterProducer
  /** How often a handler that threw is called again with the message. Default: 3. */
  readonly maxRetries?: number
  /** The first wait before it is; doubled each time, up to 10 times as much. Default: 100. */
  readonly retryBackoffMs?: number
  /** False for an error that no retry helps, such as a message that cannot be right. Default: always true. */
  readonly isRetriable?: (error: unknown, message: ConsumedMessage<Value, Key>) => boolean
  /** Told of each message that was sent to the other topic. */
  readonly onDeadLetter?: (message: ConsumedMessage<Value, Key>, error: unknown) => void
  /** Ends the waiting between retries: the handler then throws its reason, and the message counts as not handled. */
  readonly signal?: AbortSignal
}

/** The headers that say where a message came from and why it was sent on, behind those that it had. */
export const DEAD_LETTER_HEADERS = {
  topic: 'dead-letter-topic',
  partition: 'dead-letter-partition',
  offset: 'dead-letter-offset',
  attempts: 'dead-letter-attempts',
  /** The error's `code`, or its name where it has none. */
  code: 'dead-letter-error-code',
  message: 'dead-letter-error-message',
} as const

/**
 * A handler for `consumer.run` that calls another one, again where it throws, and sends on what keeps failing to
 * another topic, so that the partition goes on. Key, value, timestamp and headers stay as they were, with the reason
 * in more headers (DEAD_LETTER_HEADERS). It resolves once the other topic has the message, and throws where that
 * cannot be: the message then counts as not handled.
 *
 * ```ts
 * const producer = await client.topic('orders.dead').getProducer()
 * await consumer.run(withDeadLetters(handle, { producer }))
 * ```
 */
export function withDeadLetters<Value = Buffer | null, Key = Buffer | null>(
  handler: MessageHandler<Value, Key>,
  options: DeadLetterOptions<Value, Key>,
): MessageHandler<Value, Key> {
  checkOptions<DeadLetterOptions<Value, Key>>('withDeadLetters', options, {
    producer: anObject,
    maxRetries: anInteger(0),
    retryBackoffMs: aDurationMs(0),
    isRetriable: aFunction,
    onDeadLetter: aFunction,
    signal: aSignal,
  })
  const { producer, maxRetries = 3, retryBackoffMs = 100, signal } = options
  const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMs * 10 }
  return async (message) => {
    for (let attempt = 1; ; attempt++) {
      try {
        await handler(message)
        return
      } catch (error) {
        signal?.throwIfAborted()
        if (attempt > maxRetries || options.isRetriable?.(error, message) === false) {
          await sendOn(producer, message, error, attempt)
          options.onDeadLetter?.(message, error)
          return
        }
        const waitMs = backoffMs(attempt - 1, backoff)
        await new Deadline(waitMs, signal).sleep(waitMs)
      }
    }
  }
}

async function sendOn<Value, Key>(
  producer: DeadLetterProducer,
  message: ConsumedMessage<Value, Key>,
  error: unknown,
  attempts: number,
): Promise<void> {
  const { topic, partition, offset, timestamp } = message
  const reason: readonly [string, Data][] = [
    [DEAD_LETTER_HEADERS.topic, topic],
    [DEAD_LETTER_HEADERS.partition, String(partition)],
    [DEAD_LETTER_HEADERS.offset, String(offset)],
    [DEAD_LETTER_HEADERS.attempts, String(attempts)],
    [DEAD_LETTER_HEADERS.code, codeOf(error)],
    [DEAD_LETTER_HEADERS.message, error instanceof Error ? error.message : String(error)],
  ]
  const had = message.headers.map(({ key, value }): [string, Data] => [key, value])
  const { key, value } = bytesOf(message)
  await producer.produce(value, {
    key,
    headers: [...had, ...reason],
    ...(timestamp < 0 ? {} : { timestamp }),
  })
}

function codeOf(error: unknown): string {
  if (error instanceof KafkaError) return error.code
  const known: object = typeof error === 'object' && error !== null ? error : {}
  if ('code' in known && typeof known.code === 'string') return known.code
  return 'name' in known ? String(known.name) : typeof error
}

/** As they were read, whatever deserializers made of them. */
function bytesOf(message: ConsumedMessage<unknown, unknown>): { key: Data; value: Data } {
  const { key, value } = message instanceof DeserializedMessage ? message.message : message
  return { key: asData(key), value: asData(value) }
}

function asData(data: unknown): Data {
  return data instanceof Uint8Array ? data : null
}
