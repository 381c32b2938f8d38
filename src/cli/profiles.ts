/**
 * Profiles: a file of properties for each cluster, in the folder of the user's configuration. They
 * use the spelling of the Java client or of librdkafka, so that files of both can be copied.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './failure.ts'
import { readProperties, type Properties } from './properties.ts'

type Variables = Readonly<Record<string, string | undefined>>

const EXTENSION = '.properties'
const CURRENT = 'current'
const NAME = /^[\w.-]{1,100}$/

export class Profiles {
  readonly folder: string

  constructor(variables: Variables) {
    const home = variables['XDG_CONFIG_HOME'] || join(variables['HOME'] ?? homedir(), '.config')
    this.folder = join(home, 'samsa', 'profiles')
  }

  /** The names of the profiles, in order. */
  list(): readonly string[] {
    if (!existsSync(this.folder)) return []
    return readdirSync(this.folder)
      .filter((name) => name.endsWith(EXTENSION))
      .map((name) => name.slice(0, -EXTENSION.length))
      .sort()
  }

  /** The profile that commands use by default. */
  current(): string | undefined {
    const path = join(this.folder, CURRENT)
    return existsSync(path) ? readFileSync(path, 'utf8').trim() || undefined : undefined
  }

  /** Throws UsageError with the names of the existing profiles. */
  read(name: string): Properties {
    this.#mustExist(name)
    return readProperties(this.path(name))
  }

  use(name: string | undefined): void {
    if (name === undefined) {
      rmSync(join(this.folder, CURRENT), { force: true })
      return
    }
    this.#mustExist(name)
    writeFileSync(join(this.folder, CURRENT), `${name}\n`)
  }

  /** Writes a profile that only this user can read, because it may contain a password. */
  write(name: string, properties: Properties): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    const path = this.path(name)
    const lines = [...properties].map(([key, value]) => `${key}=${escaped(value)}\n`)
    writeFileSync(`${path}.new`, lines.join(''), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  delete(name: string): void {
    this.#mustExist(name)
    rmSync(this.path(name))
    if (this.current() === name) this.use(undefined)
  }

  path(name: string): string {
    if (!NAME.test(name) || name === '.' || name === '..') {
      throw new UsageError(
        `'${name}' is not a valid profile name: use letters, digits, '.', '_' and '-'`,
      )
    }
    return join(this.folder, name + EXTENSION)
  }

  #mustExist(name: string): void {
    if (existsSync(this.path(name))) return
    const names = this.list()
    const known =
      names.length === 0
        ? 'no profile exists; create one with: samsa profile set NAME key=value'
        : `existing profiles: ${names.join(', ')}`
    throw new UsageError(`profile '${name}' does not exist: ${known}`)
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
