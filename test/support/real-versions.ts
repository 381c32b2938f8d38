import { kafkaVersion } from './kafka/versions.ts'

/** A version of each protocol era: what `npm test` runs against. */
const USUAL = ['0.8.2.2', '1.1.1', '4.4.0']
/** What `npm run test:brokers` runs against. */
const ALL = ['0.8.2.2', '0.9.0.1', '0.10.2.2', '0.11.0.3', '1.1.1', '2.8.2', '3.9.1', '4.4.0']

/** The brokers' versions to test with, by SAMSA_BROKERS: nothing, `all`, or a list with commas. */
export function versionsToTest(): readonly string[] {
  const chosen = process.env['SAMSA_BROKERS'] ?? ''
  if (chosen === '') return USUAL
  if (chosen === 'all') return ALL
  const versions = chosen.split(',')
  versions.forEach(kafkaVersion)
  return versions
}
