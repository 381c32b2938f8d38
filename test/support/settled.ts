import { KafkaError } from '../../src/errors.ts'

/** How a promise ended, and how long that took: for promises that must end in time. */
export interface Settled<T> {
  readonly value: T | undefined
  readonly error: Error | undefined
  readonly tookMs: number
}

export async function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  const startedAt = performance.now()
  const took = () => performance.now() - startedAt
  try {
    return { value: await promise, error: undefined, tookMs: took() }
  } catch (error) {
    return { value: undefined, error: asError(error), tookMs: took() }
  }
}

/** The error of something that must fail. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const { error, value } = await settled(promise)
  if (error === undefined) throw new Error(`It should have failed, but gave ${String(value)}`)
  return error
}

/** The code of the KafkaError that something fails with, the text of another error, undefined if it does not fail. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  const { error } = await settled(promise)
  if (error === undefined) return undefined
  return error instanceof KafkaError ? error.code : String(error)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`not an Error was thrown: ${String(error)}`)
}
