/**
 * Fetches the jars that `npm test` starts real brokers and clients from: for CI, where nothing is there yet, so that
 * no test has to wait for a download. One that fails is tried again; what can't be had is for the tests to say.
 */
import { clientJars, KAFKA_VERSIONS } from '../wire/support/jars.ts'
import { kafkaLibs, kafkaTools, type DownloadOptions } from './kafka/download.ts'
import { ZOOKEEPER_FROM } from './kafka/versions.ts'
import { messageOf } from './kafka/wait.ts'
import { stormLibs } from './storm/local-storm.ts'
import { versionsToTest } from './real-versions.ts'

const ATTEMPTS = 3
/** For all of them. */
const TIMEOUT_MS = 480_000

type Fetch = (options: DownloadOptions) => Promise<string>

async function persist(fetch: Fetch, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await fetch({ onProgress: console.log, signal })
      return
    } catch (error) {
      console.error(messageOf(error))
      if (attempt === ATTEMPTS || signal.aborted) throw error
    }
  }
}

async function main(): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const brokers = new Set([...versionsToTest(), ZOOKEEPER_FROM])
  const wanted: readonly Fetch[] = [
    ...[...brokers].map(
      (version): Fetch =>
        (options) =>
          kafkaLibs(version, options),
    ),
    ...KAFKA_VERSIONS.map(
      (version): Fetch =>
        (options) =>
          clientJars(version, options),
    ),
    kafkaTools,
    stormLibs,
  ]
  for (const fetch of wanted) await persist(fetch, signal)
}

main().catch(() => {
  process.exitCode = 1
})
