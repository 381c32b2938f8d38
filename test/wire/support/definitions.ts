import {
  parseVersions,
  type VersionRange,
  type VersionSpec,
} from '../../../protocol/schema/versions.ts'
import { readZip } from './zip.ts'

/** Kafka's own definition of a message, as its jar carries it: JSON with comments. */
export interface MessageDefinition {
  readonly type: 'request' | 'response' | 'header' | 'data' | 'metadata' | 'coordinator-key'
  readonly name: string
  readonly apiKey?: number
  readonly listeners?: readonly string[]
  readonly validVersions: VersionSpec
  readonly flexibleVersions: VersionSpec
  readonly fields: readonly FieldDefinition[]
  readonly commonStructs?: readonly StructDefinition[]
}

export interface StructDefinition {
  readonly name: string
  readonly versions: VersionSpec
  readonly fields: readonly FieldDefinition[]
}

export interface FieldDefinition {
  readonly name: string
  readonly type: string
  readonly versions: VersionSpec
  readonly nullableVersions?: VersionSpec
  readonly taggedVersions?: VersionSpec
  readonly flexibleVersions?: VersionSpec
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly ignorable?: boolean
  readonly fields?: readonly FieldDefinition[]
}

/**
 * All definitions in a kafka-clients jar, by name: `ProduceRequest`, `ConsumerProtocolAssignment`.
 */
export function readDefinitions(jar: string): Map<string, MessageDefinition> {
  const files = readZip(jar, (name) => /^common\/message\/\w+\.json$/.test(name))
  const definitions = new Map<string, MessageDefinition>()
  for (const text of files.values()) {
    const definition = JSON.parse(withoutComments(text)) as MessageDefinition
    definitions.set(definition.name, definition)
  }
  return definitions
}

/** Strings may hold two slashes, so both are matched, and strings are kept. */
function withoutComments(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, (_match, quoted?: string) => quoted ?? '')
}

export function validVersions(definition: MessageDefinition): number[] {
  return versionsIn(parseVersions(definition.validVersions))
}

/** Only for ranges that end. */
export function versionsIn({ min, max }: VersionRange): number[] {
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}
