/**
 * What is cut out of a build to see what counting costs: nothing is recorded, and no clock is read, for the metrics of
 * requests, batches and handlers. A test checks that each text is in its file.
 */
export interface Cut {
  readonly file: string
  readonly text: string
  readonly replacement: string
}

export const CUTS: readonly Cut[] = [
  {
    file: 'src/observe/metrics/histogram.ts',
    text: 'record(value: number, times = 1): void {',
    replacement: 'record(value: number, times = 1): void {\n    if (times > 0) return',
  },
  {
    file: 'src/observe/metrics/histogram.ts',
    text: 'recordMs(durationMs: number, times = 1): void {',
    replacement: 'recordMs(durationMs: number, times = 1): void {\n    if (times > 0) return',
  },
  {
    file: 'src/producer/results/settlement.ts',
    text: 'this.#metrics.deliveryDuration.recordMs(performance.now() - batch.createdAt)\n',
    replacement: '',
  },
  {
    file: 'src/producer/results/settlement.ts',
    text: 'counted.messages += count\n      counted.bytes += batch.sizeBytes\n      counted.batches++\n',
    replacement: '',
  },
  {
    file: 'src/producer/sender/sink.ts',
    text: 'this.#count(head, wireBytes, startedAt)\n',
    replacement: '',
  },
  {
    file: 'src/consumer/delivery/partition-clock.ts',
    text: 'const now = performance.now()',
    replacement: 'const now = 0',
  },
  {
    file: 'src/consumer/delivery/partition-clock.ts',
    text: '#readAt = performance.now()\n  #unread',
    replacement: '#readAt = 0\n  #unread',
  },
]
