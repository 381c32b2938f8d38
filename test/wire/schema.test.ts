import { beforeAll, describe, expect, it } from '@jest/globals'
import { apis } from '../../protocol/apis/index.ts'
import type { MessageSchema } from '../../protocol/schema/api.ts'
import type { Fields } from '../../protocol/schema/fields.ts'
import { includes, parseVersions } from '../../protocol/schema/versions.ts'
import {
  readDefinitions,
  validVersions,
  versionsIn,
  type MessageDefinition,
} from './support/definitions.ts'
import { clientJar, KAFKA_VERSIONS, missingForKafkasOwn } from './support/jars.ts'
import { LEFT_OUT, RENAMED_FIELDS } from './support/known-differences.ts'
import { declaredMessages, nameIn } from './support/messages.ts'
import { projectDefinition, projectMessage, type Projection } from './support/projection.ts'

/**
 * One declaration of ours covers all versions that Kafka ever had, while each Kafka defines those
 * that it still speaks. So both are projected onto every version of a Kafka's definition, and the
 * projections must be the same.
 */

type Definitions = ReadonlyMap<string, MessageDefinition>

const missing = missingForKafkasOwn("the comparison with Kafka's own message definitions", {
  java: false,
})
const describeWithJars = missing === undefined ? describe : describe.skip

describeWithJars("the declarations match Kafka's own definitions", () => {
  const definitionsOf = new Map<string, Definitions>()
  const newestFirst = () => KAFKA_VERSIONS.map((kafka) => definitionsOf.get(kafka)!)

  beforeAll(async () => {
    for (const kafka of KAFKA_VERSIONS) {
      definitionsOf.set(kafka, readDefinitions(await clientJar(kafka)))
    }
  })

  describe.each(KAFKA_VERSIONS)('of %s', (kafka) => {
    it('in every field of every message and version', () => {
      const definitions = definitionsOf.get(kafka)!
      const differences: string[] = []
      let compared = 0
      for (const [name, message] of declaredMessages) {
        const definition = definitions.get(nameIn(kafka, name))
        if (definition === undefined) continue
        for (const version of validVersions(definition)) {
          compared++
          const found = compare(name, message, definition, version)
          differences.push(...found.map((text) => `${name} v${version}: ${text}`))
        }
      }
      expect(differences).toEqual([])
      expect(compared).toBeGreaterThan(500)
    })

    it('in the key of every API', () => {
      for (const api of apis) {
        const definition = definitionsOf.get(kafka)!.get(nameIn(kafka, `${api.name}Request`))
        if (definition !== undefined)
          expect([api.name, api.key]).toEqual([api.name, definition.apiKey])
      }
    })

    it('and no API of a broker is forgotten', () => {
      const forgotten = [...definitionsOf.get(kafka)!.values()]
        .filter(({ listeners }) => listeners?.some((name) => /^(zkB|b)roker$/.test(name)))
        .filter(({ apiKey }) => !apis.some(({ key }) => key === apiKey))
        .map(({ name }) => name.replace(/Request$/, ''))
        .filter((name) => !LEFT_OUT.has(name))
      expect(forgotten).toEqual([])
    })
  })

  it('in their versions: all that either Kafka has, and no others', () => {
    for (const [name, message] of declaredMessages) {
      const defined = new Set<number>()
      for (const [index, definitions] of newestFirst().entries()) {
        const definition = definitions.get(nameIn(KAFKA_VERSIONS[index]!, name))
        for (const version of definition ? validVersions(definition) : []) defined.add(version)
      }
      const expected = [...defined].sort((a, b) => a - b)
      expect([name, versionsIn(message.versions)]).toEqual([name, expected])
    }
  })

  it('in their flexible versions', () => {
    for (const [name, message] of declaredMessages) {
      for (const [index, definitions] of newestFirst().entries()) {
        const definition = definitions.get(nameIn(KAFKA_VERSIONS[index]!, name))
        if (definition === undefined) continue
        const range = parseVersions(definition.flexibleVersions)
        for (const version of validVersions(definition)) {
          const place = `${name} v${version}`
          expect([place, message.isFlexible(version)]).toEqual([place, includes(range, version)])
        }
      }
    }
  })

  it('and have no field that neither Kafka has', () => {
    const unknown: string[] = []
    for (const [name, message] of declaredMessages) {
      const paths = new Set<string>()
      for (const [index, definitions] of newestFirst().entries()) {
        const definition = definitions.get(nameIn(KAFKA_VERSIONS[index]!, name))
        for (const version of definition ? validVersions(definition) : []) {
          const { present, absent } = renamed(name, projectDefinition(definition!, version))
          for (const line of [...present, ...absent.values()]) paths.add(pathOf(line))
        }
      }
      for (const version of versionsIn(message.versions)) {
        const { present, absent } = projectMessage(message, version)
        for (const line of [...present, ...absent.values()]) {
          if (!paths.has(pathOf(line))) unknown.push(`${name}: ${line}`)
        }
      }
    }
    expect(unknown).toEqual([])
  })

  it('and the list of omissions names nothing that is declared or unknown', () => {
    for (const name of LEFT_OUT.keys()) {
      expect(apis.map((api) => api.name)).not.toContain(name)
      expect(newestFirst().some((definitions) => definitions.has(`${name}Request`))).toBe(true)
    }
  })
})

function compare(
  name: string,
  message: MessageSchema<Fields>,
  definition: MessageDefinition,
  version: number,
): string[] {
  if (!includes(message.versions, version)) return ['it is not declared']
  const kafkas = renamed(name, projectDefinition(definition, version))
  const ours = projectMessage(message, version)
  const differences = [
    ...kafkas.present.filter((line) => !ours.present.includes(line)).map((line) => `Kafka ${line}`),
    ...ours.present.filter((line) => !kafkas.present.includes(line)).map((line) => `ours ${line}`),
  ]
  if (differences.length === 0 && kafkas.present.join() !== ours.present.join()) {
    differences.push(`Kafka's order is ${kafkas.present.map(pathOf).join(' ')}`)
  }
  for (const [path, line] of kafkas.absent) {
    const other = ours.absent.get(path)
    if (other !== line) differences.push(`not in this version: Kafka ${line}; ours ${other}`)
  }
  return differences
}

function renamed(message: string, projection: Projection): Projection {
  const renames = RENAMED_FIELDS.filter(([name]) => name === message)
  const rename = (line: string) => {
    const path = pathOf(line)
    const rename = renames.find(([, kafkas]) => kafkas === path)
    return rename === undefined ? line : rename[2] + line.slice(path.length)
  }
  return {
    present: projection.present.map(rename),
    absent: new Map([...projection.absent].map(([path, line]) => [rename(path), rename(line)])),
  }
}

function pathOf(line: string): string {
  return line.split(':')[0]!
}
