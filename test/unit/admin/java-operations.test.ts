import { afterAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { KafkaClient } from '../../../src/index.ts'
import { OPERATIONS } from '../../kafka/support/admin-operations/all-operations.ts'
import { JAVA_OPERATIONS } from '../../support/admin/java-operations.ts'

const section = readFileSync('docs/admin.md', 'utf8').split("## Java's operations")[1] ?? ''
const rows = [...section.matchAll(/^\| `(\w+)` +\| `([\w.]+)` +\|$/gm)].map(
  ([, java, samsa]) => [java!, samsa!] as const,
)

describe("the table of Java's operations in docs/admin.md", () => {
  const client = new KafkaClient({ hosts: '127.0.0.1:9092' })
  afterAll(() => client.close())

  it('names each operation of Java once', () => {
    expect(rows.map(([java]) => java)).toEqual(JAVA_OPERATIONS)
  })

  it.each(rows)('correctly states that %s is done by %s', (_, samsa) => {
    const name = samsa.split('.').at(-1)!
    const owner = samsa === name ? client.admin : client
    expect(typeof Reflect.get(owner, name)).toBe('function')
  })
})

it('compares each operation of Java with real brokers, Java and the embedded cluster', () => {
  const compared = new Set(OPERATIONS.map(({ java }) => java))
  expect(JAVA_OPERATIONS.filter((operation) => !compared.has(operation))).toEqual([])
})
