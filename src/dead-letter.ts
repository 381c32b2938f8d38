/** Sends a message that could not be handled to another topic. */
import type { RawMessage } from './consumer/consumed-message.ts'
import { KafkaError } from './errors.ts'
import { textOfThrown } from './observe/thrown.ts'
import type { Data, HeadersInit } from './producer/intake/serialize.ts'

/**
 * The headers with the origin of a message and the reason why it was sent on. They follow the message's own headers.
 */
export const DEAD_LETTER_HEADERS = {
  topic: 'dead-letter-topic',
  partition: 'dead-letter-partition',
  offset: 'dead-letter-offset',
  attempts: 'dead-letter-attempts',
  /** The `code` of the error, or its name if it has no code. */
  code: 'dead-letter-error-code',
  /** The first 1,000 characters of the error's message. */
  message: 'dead-letter-error-message',
  /** The size of the value, in a letter without it, because the other topic refused it. The value is at `offset`. */
  valueBytes: 'dead-letter-value-bytes',
} as const

interface LetterOptions {
  readonly key: Data
  readonly headers: HeadersInit
  readonly timestamp?: number
}
type Produce = (value: Data, options: LetterOptions) => Promise<unknown>

/**
 * Sends a message to another topic: a Producer of that topic is one. `produceSerialized` is used if it exists,
 * because key and value are already bytes.
 */
export type DeadLetterProducer =
  | { readonly produceSerialized: Produce }
  | { readonly produce: Produce; readonly produceSerialized?: undefined }

/** Longer error texts are cut, because brokers limit the total size of a message. */
const MOST_CHARACTERS = 1_000

/** Errors for a message that a topic refuses permanently, and may accept in a simpler form. */
const REFUSED_FORMS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_ARGUMENT',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

type Pair = readonly [key: string, value: Data]

interface Form {
  readonly key: Data
  readonly value: Data
  readonly headers: readonly Pair[]
  readonly timestamp?: number
}

/**
 * Sends the message on with the reason in headers. If the topic refuses this form, it tries simpler ones: the message
 * without its timestamp, with its position instead of the reason, without either, then the reason without the value.
 * Throws the error of the first form.
 */
export async function sendLetter(
  producer: DeadLetterProducer,
  message: RawMessage,
  error: unknown,
  attempts: number,
): Promise<void> {
  const forms = formsOf(message, error, attempts)
  let refused: { readonly error: unknown } | undefined
  for (const { value, ...letter } of forms) {
    try {
      if (producer.produceSerialized === undefined) await producer.produce(value, letter)
      else await producer.produceSerialized(value, letter)
      return
    } catch (failure) {
      refused ??= { error: failure }
      if (!(failure instanceof KafkaError && REFUSED_FORMS.has(failure.code))) break
    }
  }
  if (refused !== undefined) throw refused.error
}

function formsOf(message: RawMessage, error: unknown, attempts: number): readonly Form[] {
  const { topic, partition, offset, key, value } = message
  const place: readonly Pair[] = [
    [DEAD_LETTER_HEADERS.topic, topic],
    [DEAD_LETTER_HEADERS.partition, String(partition)],
    [DEAD_LETTER_HEADERS.offset, String(offset)],
  ]
  const reason: readonly Pair[] = [
    ...place,
    [DEAD_LETTER_HEADERS.attempts, String(attempts)],
    [DEAD_LETTER_HEADERS.code, cut(codeOf(error))],
    [DEAD_LETTER_HEADERS.message, cut(textOfThrown(error))],
  ]
  const had = headersOf(message)
  const time = timeOf(message)
  const valueBytes: Pair = [DEAD_LETTER_HEADERS.valueBytes, String(value?.length ?? -1)]
  return [
    { key, value, headers: [...had, ...reason], ...time },
    { key, value, headers: [...had, ...reason] },
    { key, value, headers: [...had, ...place] },
    { key, value, headers: had },
    { key, value: null, headers: [...reason, valueBytes] },
    { key: null, value: null, headers: [...reason, valueBytes] },
  ]
}

/** Returns the headers without damaged ones, which no producer accepts. */
function headersOf(message: RawMessage): readonly Pair[] {
  try {
    return message.headers.map(({ key, value }) => [key, value])
  } catch {
    return []
  }
}

/** Returns nothing for a message without a timestamp, or with one that a number cannot represent. */
function timeOf(message: RawMessage): { readonly timestamp?: number } {
  try {
    const { timestamp } = message
    return timestamp < 0 ? {} : { timestamp }
  } catch {
    return {}
  }
}

function codeOf(error: unknown): string {
  try {
    const known: object = typeof error === 'object' && error !== null ? error : {}
    if ('code' in known && typeof known.code === 'string') return known.code
    if ('name' in known && typeof known.name === 'string') return known.name
  } catch {
    // A getter of the application threw.
  }
  return typeof error
}

function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`
}
