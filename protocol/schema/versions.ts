/** Versions as in Kafka's own definitions: `0+`, `3-7`, `4` or `none`. */
export type VersionSpec = `${number}+` | `${number}-${number}` | `${number}` | 'none'

export interface VersionRange {
  readonly min: number
  /** Inclusive; Infinity for an open range. Below `min` for an empty range. */
  readonly max: number
}

const EMPTY: VersionRange = { min: 0, max: -1 }

export function parseVersions(spec: VersionSpec): VersionRange {
  if (spec === 'none') return EMPTY
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(spec)
  if (match === null) throw new TypeError(`'${spec}' is not a range of versions`)
  const min = Number(match[1])
  if (match[2] !== undefined) return { min, max: Infinity }
  return { min, max: match[3] === undefined ? min : Number(match[3]) }
}

export function includes(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max
}
