import { bytesOf, headerFields, headersBytes } from '../../../protocol/records/outgoing-record.ts'
import type { Accumulator } from './accumulator.ts'
import type { Batch } from './batch.ts'
import type { Place } from '../results/delivery-promise.ts'
import { messagesOf } from './batch-messages.ts'

/**
 * Divides a batch, in the order of its records: a record goes to the part whose number `partOf` returns. The promises
 * and counts of the batch move to the parts.
 */
export function splitBatch(
  batch: Batch,
  partOf: (index: number) => number,
  accumulator: Accumulator,
): Batch[] {
  const { queue, createdAt, serial, result, messages } = batch
  const runs = batch.runs()
  let partCount = 0
  for (let i = 0; i < batch.count; i++) partCount = Math.max(partCount, partOf(i) + 1)
  const span = batch.span / partCount
  const parts = Array.from({ length: partCount }, (_, number) => {
    const place = { createdAt, serial: serial + number * span, span }
    const part = accumulator.newBatch(queue, place)
    part.attempts = batch.attempts
    part.lastError = batch.lastError
    part.outcomeUnknown = batch.outcomeUnknown
    if (messages !== undefined) part.messages = []
    return part
  })
  const places: Place[] = []
  messagesOf(batch).forEach(({ key, value, timestamp, headers }, index) => {
    const part = parts[partOf(index)]!
    places.push({ result: part.result, index: part.count })
    const fields = headers.length === 0 ? undefined : headerFields(headers)
    const size = fields === undefined ? 0 : headersBytes(fields)
    part.writer.append(key, bytesOf(key), value, bytesOf(value), timestamp, fields, size, Infinity)
    const run = runs.find(({ start, count }) => index >= start && index < start + count)
    part.join(run?.group)
    if (messages !== undefined) part.messages?.push(messages[index]!)
  })
  for (const { trace, index } of batch.traces ?? []) {
    const part = parts[partOf(index)]!
    const traces = (part.traces ??= [])
    traces.push({ trace, index: places[index]!.index })
  }
  result.move(places)
  accumulator.replace(batch, parts)
  return parts
}
