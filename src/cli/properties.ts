import { readFileSync } from 'node:fs'
import { UsageError } from './failure.ts'

/** Settings by Kafka's names, such as `bootstrap.servers`. */
export type Properties = ReadonlyMap<string, string>

/** The value of the first of the keys that is set. */
export function first(properties: Properties, ...keys: readonly string[]): string | undefined {
  return keys.map((key) => properties.get(key)).find((value) => value !== undefined)
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' }

/**
 * Parses a file of properties as Java does: `key=value`, `key: value` or `key value`, comments
 * after `#` or `!`, lines continued by a backslash. librdkafka's files have the same format without
 * escapes.
 */
export function parseProperties(text: string): Properties {
  const found = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const match = /^((?:\\.|[^\\=:\s])*)\s*(?:[=:]\s*)?(.*)$/s.exec(line)!
    const key = unescaped(match[1]!)
    if (key !== '') found.set(key, unescaped(match[2]!))
  }
  return found
}

export function readProperties(path: string): Properties {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new UsageError(`the configuration file ${path} cannot be read: ${reason}`)
  }
  return parseProperties(text)
}

function logicalLines(text: string): string[] {
  const lines: string[] = []
  let continued: string | undefined
  for (const natural of text.split(/\r?\n/)) {
    const line = natural.trimStart()
    if (continued === undefined && (line === '' || /^[#!]/.test(line))) continue
    const whole: string = (continued ?? '') + line
    const isContinued = /(?:^|[^\\])(?:\\\\)*\\$/.test(whole)
    continued = isContinued ? whole.slice(0, -1) : undefined
    if (!isContinued) lines.push(whole)
  }
  if (continued !== undefined) lines.push(continued)
  return lines
}

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|(.))/gs,
    (_all, code: string | undefined, letter: string | undefined) =>
      code === undefined ? (ESCAPES[letter!] ?? letter!) : String.fromCharCode(parseInt(code, 16)),
  )
}
