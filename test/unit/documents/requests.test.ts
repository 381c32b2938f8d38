import { expect, it } from '@jest/globals'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as protocol from '../../../protocol/index.ts'

/** Answers requests, or passes on what the application asks for: no part of a method of the client. */
const OTHER_PARTS = ['embedded/', 'cli/', 'kafkajs/', 'storm/']
const IMPORT = /^import (?:\{([^}]*)\}) from '[^']*\/protocol\/apis\/([\w-]+)\.ts'/gm

/** The APIs by the names of their files, such as `alter-configs` for `alterConfigs`. */
const APIS: ReadonlyMap<string, string> = new Map(
  Object.keys(protocol).flatMap((name) => {
    const file = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return existsSync(`protocol/apis/${file}.ts`) ? [[file, name] as const] : []
  }),
)

/** The APIs of which a file of the client imports more than types. */
function sentByClient(): Set<string> {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !OTHER_PARTS.some((part) => file.startsWith(part)),
  )
  const imports = files.flatMap((file) => [
    ...readFileSync(join('src', file), 'utf8').matchAll(IMPORT),
  ])
  return new Set(
    imports.flatMap(([, names, api]) => {
      const name = APIS.get(api!)
      const values = names!.split(',').map((one) => one.trim().split(' as ')[0])
      return name !== undefined && values.includes(name) ? [name] : []
    }),
  )
}

it('docs/requests.md names the requests that no method sends, and no others', () => {
  expect(APIS.size).toBe(readdirSync('protocol/apis').length - 1)
  const [, sentence] = /^No method sends these requests: (.*?)\. /m.exec(
    readFileSync('docs/requests.md', 'utf8'),
  )!
  const named = [...sentence!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)
  const sent = sentByClient()
  const unsent = [...APIS.values()].filter((name) => !sent.has(name))
  // What replaces one is sent.
  expect(named.filter((name) => !sent.has(name)).sort()).toEqual(unsent.sort())
  expect(unsent.length).toBeGreaterThan(0)
})
