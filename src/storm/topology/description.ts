/**
 * A topology as one line of JSON. The bundled file prints it, so that the command never runs code
 * of the application in its own process.
 */
import type { Config } from './declarations.ts'
import type { StormTopology } from './storm-topology.ts'
import type { Topology } from './topology.ts'

export interface Description {
  readonly name: string
  readonly config: Config
  readonly topology: StormTopology
}

/**
 * JSON has neither type: only arguments of Java classes and serialized Java objects contain them.
 */
const LONG = '$long'
const BYTES = '$bytes'

export function descriptionOf(topology: Topology, environment?: string): Description {
  const options = environment === undefined ? {} : { environment }
  const config = topology.config(environment)
  return { name: topology.name, config, topology: topology.toStorm(options) }
}

export function writeDescription(description: Description): string {
  return JSON.stringify(plain(description))
}

/** Throws SyntaxError for text that is not a description. */
export function readDescription(text: string): Description {
  const read: unknown = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value
    if (LONG in value && typeof value[LONG] === 'string') return BigInt(value[LONG])
    if (BYTES in value && typeof value[BYTES] === 'string') {
      return new Uint8Array(Buffer.from(value[BYTES], 'base64'))
    }
    return value
  })
  if (typeof read === 'object' && read !== null && 'topology' in read && 'name' in read) {
    // Written by writeDescription.
    return read as Description
  }
  throw new SyntaxError('the data are not a description of a topology')
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return { [LONG]: value.toString() }
  if (value instanceof Uint8Array) return { [BYTES]: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, plain(of)]))
}
