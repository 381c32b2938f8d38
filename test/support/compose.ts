import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface ComposeService {
  readonly image: string
  readonly ports: readonly string[]
  readonly profiles?: readonly string[]
  readonly environment: Readonly<Record<string, string | number>>
  readonly command?: readonly string[]
  readonly healthcheck: { readonly test: string | readonly string[] }
}

/** What a service gives a broker: Kafka's settings by name, as the image makes them of variables, or of a command. */
export interface ComposeBroker {
  readonly name: string
  readonly service: ComposeService
  readonly settings: Readonly<Record<string, string>>
}

/** Found from here, so that it does not matter where a test is started from. */
export const COMPOSE_FILE = join(__dirname, '..', '..', 'docker-compose.yml')

/** Variables of the image's own, which it leaves out of server.properties. */
const NOT_SETTINGS = ['KAFKA_HEAP_OPTS', 'CLUSTER_ID']
const OVERRIDE = '--override='

export function composeServices(): Readonly<Record<string, ComposeService>> {
  const file = parse(readFileSync(COMPOSE_FILE, 'utf8'), { merge: true }) as {
    services: Record<string, ComposeService>
  }
  return file.services
}

export function composeBrokers(): readonly ComposeBroker[] {
  return Object.entries(composeServices())
    .filter(([, { image }]) => image.startsWith('apache/kafka:'))
    .map(([name, service]) => ({
      name,
      service,
      settings: { ...settingsOf(service.environment), ...overridesIn(service.command ?? []) },
    }))
}

/** As the image translates them: KAFKA_LOG_DIRS is log.dirs, `__` is an underscore, `___` a hyphen. */
function settingsOf(environment: ComposeService['environment']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment)
      .filter(([name]) => !NOT_SETTINGS.includes(name))
      .map(([name, value]) => {
        if (!name.startsWith('KAFKA_')) throw new Error(`${name} is no variable of the image`)
        const setting = name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.')
        return [setting.replaceAll('...', '-').replaceAll('..', '_'), String(value)]
      }),
  )
}

function overridesIn(command: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    command
      .filter((part) => part.startsWith(OVERRIDE))
      .map((part) => {
        const [name, ...value] = part.slice(OVERRIDE.length).split('=')
        return [name!, value.join('=')]
      }),
  )
}

/** `HOST://127.0.0.1:9092,…` by the names of listeners. */
export function listenersOf(text: string): ReadonlyMap<string, { host: string; port: number }> {
  return new Map(
    text.split(',').map((one) => {
      const [, name, host, port] = /^(\w+):\/\/([^:]*):(\d+)$/.exec(one)!
      return [name!, { host: host!, port: Number(port) }]
    }),
  )
}
