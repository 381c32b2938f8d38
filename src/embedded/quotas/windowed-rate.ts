/** Kafka's quota.window.num and quota.window.size.seconds. */
const SAMPLES = 11
const SAMPLE_MS = 1_000

interface Sample {
  readonly startMs: number
  bytes: number
}

/**
 * The bytes per second in the last seconds, measured like Kafka's quotas (its metrics class Rate).
 */
export class WindowedRate {
  /** The burst that a client may use at once, in seconds of its rate. */
  static readonly seconds = (SAMPLES - 1) * (SAMPLE_MS / 1_000)
  #samples: Sample[] = []

  record(bytes: number, nowMs: number): void {
    const last = this.#samples.at(-1)
    if (last === undefined || nowMs - last.startMs >= SAMPLE_MS) {
      this.#samples.push({ startMs: nowMs, bytes })
    } else last.bytes += bytes
    this.#forget(nowMs)
  }

  throttleMs(bytesPerSecond: number, nowMs: number): number {
    this.#forget(nowMs)
    const windowMs = this.#windowMs(nowMs)
    const bytes = this.#samples.reduce((sum, sample) => sum + sample.bytes, 0)
    const rate = bytes / (windowMs / 1_000)
    if (rate <= bytesPerSecond) return 0
    return Math.round(((rate - bytesPerSecond) / bytesPerSecond) * windowMs)
  }

  /** The time that the rate refers to: at least all samples but the last. Missing samples count as empty. */
  #windowMs(nowMs: number): number {
    const startMs = this.#samples[0]?.startMs ?? nowMs
    const elapsedMs = nowMs - startMs
    const wholeSamples = Math.floor(elapsedMs / SAMPLE_MS)
    const missing = Math.max(0, SAMPLES - 1 - wholeSamples)
    return elapsedMs + missing * SAMPLE_MS
  }

  #forget(nowMs: number): void {
    this.#samples = this.#samples.filter(({ startMs }) => nowMs - startMs < SAMPLES * SAMPLE_MS)
  }
}
