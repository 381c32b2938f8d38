import { describe, expect, it } from '@jest/globals'
import type { Compression, Logger, ProducerOptions } from '../../../src/index.ts'
import { producerSettings, warnOfOptions } from '../../../src/producer/options.ts'

/** The settings, and the warnings that were logged. */
function read(options: ProducerOptions) {
  const warnings: string[] = []
  const ignore = () => undefined
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: (text: string) => void warnings.push(text),
    error: ignore,
  }
  const settings = producerSettings(options)
  warnOfOptions(options, logger)
  return { settings, warnings }
}

describe('options of a producer without effect', () => {
  it.each<Compression | undefined>([undefined, 'none', 'lz4', 'snappy'])(
    'compressionLevel is rejected with compression %s, which has no levels',
    (compression) => {
      const options = compression === undefined ? {} : { compression }
      expect(() => read({ ...options, compressionLevel: 3 })).toThrow(
        `option 'compressionLevel' has no effect with compression '${compression ?? 'none'}'`,
      )
    },
  )

  it.each(['gzip', 'zstd'] as const)('compressionLevel is accepted with %s', (compression) => {
    const { settings, warnings } = read({ compression, compressionLevel: 3 })
    expect(settings).toMatchObject({ compression, compressionLevel: 3 })
    expect(warnings).toEqual([])
  })

  it('maxInFlight over 5 causes a warning that it turns idempotence off', () => {
    const { settings, warnings } = read({ maxInFlight: 6 })
    expect(settings.idempotent).toBe(false)
    expect(warnings).toEqual([expect.stringContaining('maxInFlight 6 disables idempotence')])
  })

  it.each<ProducerOptions>([
    { maxInFlight: 5 },
    { maxInFlight: 6, idempotent: false },
    { maxInFlight: 6, requiredAcks: 1 },
  ])('maxInFlight causes no warning if it changes nothing: %j', (options) => {
    expect(read(options).warnings).toEqual([])
  })
})
