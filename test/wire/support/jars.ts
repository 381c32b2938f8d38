import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cacheFolder } from '../../support/kafka/cache.ts'
import { mavenJars, type DownloadOptions } from '../../support/kafka/download.ts'
import { javaAvailable } from '../../support/kafka/java.ts'

/** The newest Kafka, and the last one that still had what 4.0 dropped. */
export const KAFKA_VERSIONS = ['4.4.0', '3.9.1'] as const
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number]

const JACKSON = 'com.fasterxml.jackson.core:jackson-databind:2.19.0'

function folderName(version: KafkaVersion): string {
  return `kafka-clients-${version}-json`
}

/** The folder with Kafka's own client library and all it needs, its JSON converters included. */
export async function clientJars(
  version: KafkaVersion,
  options: DownloadOptions = {},
): Promise<string> {
  const coordinates = [`org.apache.kafka:kafka-clients:${version}`, JACKSON]
  return mavenJars(folderName(version), coordinates, options)
}

/** Kafka's own message definitions lie in this jar. */
export async function clientJar(version: KafkaVersion): Promise<string> {
  const folder = await clientJars(version)
  const name = readdirSync(folder).find((file) => /^kafka-clients-.*\.jar$/.test(file))
  if (name === undefined) throw new Error(`${folder} has no kafka-clients jar`)
  return join(folder, name)
}

/**
 * What is missing to compare with Kafka itself, or nothing. Reports it loudly: a comparison that did
 * not run must not look like one that passed. In CI (`CI=true`) nothing may be missing, so there
 * the tests run and fail.
 */
export function missingForKafkasOwn(what: string, needs: { java: boolean }): string | undefined {
  const missing = missingTool(needs.java)
  if (missing === undefined || process.env['CI'] === 'true') return undefined
  const line = '='.repeat(80)
  process.stderr.write(`\n${line}\nNOT RUN: ${what}.\n${missing}\n${line}\n\n`)
  return missing
}

function missingTool(java: boolean): string | undefined {
  if (java && javaAvailable() === undefined) return 'Java is missing (17 or newer, on the PATH).'
  const cached = KAFKA_VERSIONS.every((version) =>
    existsSync(join(cacheFolder(), folderName(version))),
  )
  return cached || onPath('mvn') ? undefined : "Maven is missing, which fetches Kafka's jars."
}

function onPath(command: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, command)))
}
