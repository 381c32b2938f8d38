import { afterAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import * as protocol from '../../../protocol/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { releaseWith } from '../../../src/network/api-releases.ts'

const section = readFileSync('docs/admin.md', 'utf8')
  .split('\n## Reference\n')[1]!
  .split('\n## ')[0]!
const rows = [...section.matchAll(/^\| `(\w+)\(.*?\)` +\|.*\| +([\d.]*) *\|$/gm)].map(
  ([, call, release]) => ({ call: call!, release: release! }),
)
const APIS: ReadonlyMap<string, unknown> = new Map(Object.entries(protocol))

/** Calls with a request of their own that send another one to older brokers. */
const OTHER_REQUEST_BEFORE: readonly string[] = ['describeCluster']

describe('the Reference of docs/admin.md', () => {
  const client = new KafkaClient({ hosts: '127.0.0.1:9092' })
  afterAll(() => client.close())

  it('has a row for each method of client.admin, and for nothing else', () => {
    const inRows = new Set(rows.map(({ call }) => call))
    expect([...inRows].sort()).toEqual(Object.keys(client.admin).sort())
  })

  it('names the Kafka release of the API that has the name of the call', () => {
    const compared = rows.flatMap(({ call, release }) => {
      const api = APIS.get(call)
      const isOnly = rows.filter((row) => row.call === call).length === 1
      if (!isApi(api) || !isOnly || OTHER_REQUEST_BEFORE.includes(call)) return []
      return [{ row: `${call} ${release}`, expected: `${call} ${releaseWith(api.key)}` }]
    })
    expect(compared.map(({ row }) => row)).toEqual(compared.map(({ expected }) => expected))
    expect(compared.length).toBeGreaterThan(30)
  })
})

function isApi(value: unknown): value is { readonly key: number } {
  return typeof value === 'object' && value !== null && 'key' in value
}
