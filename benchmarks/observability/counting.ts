/**
 * What is switched to see what counting costs: without it nothing is recorded, and no clock is read, for the metrics of
 * requests, batches and handlers. It is switched within one build and one process, because V8 decides again in each
 * process what it inlines: two processes with the same build differ by up to 8 % in the CPU of a message.
 */
export interface Cut {
  readonly file: string
  readonly text: string
  readonly replacement: string
}

/** The variable of the global object that ends counting in a build with these cuts. */
export const IS_UNCOUNTED = 'samsaIsUncounted'
const isUncounted = `globalThis.${IS_UNCOUNTED}`

/** The text only where it is counted. */
const counted = (file: string, text: string): Cut => ({
  file,
  text,
  replacement: `if (!${isUncounted}) {\n${text}}\n`,
})

/** The function whose declaration the text is returns at once, with this result if it has one. */
const called = (file: string, text: string, result = ''): Cut => ({
  file,
  text,
  replacement: `${text}\n    if (${isUncounted}) return ${result}`,
})

const HISTOGRAM = 'src/observe/metrics/histogram.ts'
const CLOCK = 'src/consumer/delivery/partition-clock.ts'
const SETTLEMENT = 'src/producer/results/settlement.ts'

export const CUTS: readonly Cut[] = [
  called(HISTOGRAM, 'record(value: number, times = 1): void {'),
  called(HISTOGRAM, 'recordMs(durationMs: number, times = 1): void {'),
  counted(
    SETTLEMENT,
    'this.#metrics.deliveryDuration.recordMs(performance.now() - batch.createdAt)\n',
  ),
  counted(
    SETTLEMENT,
    'counted.messages += count\n      counted.bytes += batch.sizeBytes\n      counted.batches++\n',
  ),
  counted('src/producer/sender/sink.ts', 'this.#count(head, wireBytes, startedAt)\n'),
  called(CLOCK, 'returned(): void {'),
  called(CLOCK, 'settled(): void {'),
  called(CLOCK, 'resume(): void {'),
  called(CLOCK, '#read(): number {', 'this.#readAt'),
  counted(
    'src/consumer/fetch/fetch-response.ts',
    'counted.fetchedMessages += messages\n    counted.fetchedBytes += records.length\n',
  ),
]
