import { expect } from '@jest/globals'
import { apiVersions } from '../../../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../../../src/embedded/index.ts'
import { startKafka, type KafkaCluster } from '../../../support/kafka/cluster.ts'
import { differences, type Difference } from '../compare.ts'
import { Side, type Step } from './step.ts'

/** The real cluster, and the embedded one. */
export type Sides = readonly [real: Side, embedded: Side]

/** A real cluster and an embedded one of the same version. */
export interface BothClusters {
  readonly kafka: KafkaCluster
  readonly embedded: EmbeddedCluster
  readonly sides: Sides
  stop(): Promise<void>
}

const EMBEDDED_VERSIONS = { '2.8.2': '2.8', '4.4.0': '4.4' } as const

/** Starts both, each with one broker. `config` is that of the real one. */
export async function startBoth(
  version: keyof typeof EMBEDDED_VERSIONS,
  config: Readonly<Record<string, string>> = {},
): Promise<BothClusters> {
  const kafka = await startKafka({ version, config })
  const embedded = await EmbeddedCluster.start({ version: EMBEDDED_VERSIONS[version] })
  const sides = [await Side.open(kafka.ports[0]!), await Side.open(embedded.ports[0]!)] as const
  return {
    kafka,
    embedded,
    sides,
    stop: async () => {
      for (const { client } of sides) client[Symbol.dispose]()
      await embedded.stop()
      await kafka.stop()
    },
  }
}

/** Steps with APIs and versions that the brokers do not have are left out, or use older versions. */
export async function learnVersions(sides: Sides): Promise<void> {
  for (const side of sides) {
    const { apiKeys } = await side.client.request(apiVersions, 0, {})
    side.highestVersions = new Map(apiKeys.map((api) => [api.apiKey, api.maxVersion]))
  }
}

/** A difference that may be. `path` is tested on the name of the step and the place in its response. */
export interface KnownDifference {
  readonly path: RegExp
  readonly why: string
}

/** Takes each step on both sides, and compares the responses. */
export async function differencesIn(
  [real, embedded]: Sides,
  steps: readonly Step[],
  nameOf: (step: Step) => string = ({ name }) => name,
): Promise<Difference[]> {
  const found: Difference[] = []
  for (const step of steps) {
    const theirs = await step.ask(real)
    const ours = await step.ask(embedded)
    found.push(...differences(nameOf(step), theirs, ours, real.names, embedded.names))
  }
  return found
}

/** The differences that are not known, a line each. */
export function unknownOf(
  found: readonly Difference[],
  known: readonly KnownDifference[],
): readonly string[] {
  return found
    .filter((one) => !known.some((expected) => isOf(expected, one)))
    .map(({ request, path, real, embedded }) => `${request}: ${path}: ${real} became ${embedded}`)
}

/** Fails for a difference that is not known, and for a known one that is not found: the list would outlive its reasons. */
export function expectOnly(found: readonly Difference[], known: readonly KnownDifference[]): void {
  expect(unknownOf(found, known)).toEqual([])
  expect(known.filter((expected) => !found.some((one) => isOf(expected, one)))).toEqual([])
}

function isOf({ path: known }: KnownDifference, { request, path }: Difference): boolean {
  return known.test(`${request} ${path}`)
}
