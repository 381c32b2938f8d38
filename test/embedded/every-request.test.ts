import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as protocol from '../../protocol/index.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Encodable, Fields } from '../../protocol/schema/fields.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, KafkaError, UnsupportedVersionError } from '../../src/index.ts'
import { releaseWith } from '../../src/network/api-releases.ts'

/** A body of defaults: empty lists, empty names. Without acks a broker does not answer Produce. */
function emptyBodyOf({ name, request }: Api): Encodable<Fields> {
  const fields: Fields = request.fields
  const body: Record<string, unknown> = {}
  for (const field of Object.keys(fields)) body[field] = fields[field]?.default
  if (name === 'Produce') body['acks'] = -1
  return body
}

function sentTo(kafka: EmbeddedCluster, { name }: Api): number {
  return kafka.requests.all().filter(({ api }) => api === name).length
}

describe.each(['4.4', '2.8', '0.10'] as const)(
  'client.request with an API that Kafka %s',
  (version) => {
    let kafka: EmbeddedCluster
    let client: KafkaClient
    let served: ReadonlySet<number>
    beforeAll(async () => {
      kafka = await EmbeddedCluster.start({ version })
      client = new KafkaClient({ hosts: kafka.hosts })
      const { apiKeys } = await client.request(protocol.apiVersions, {}, { maxVersion: 0 })
      served = new Set(apiKeys.map(({ apiKey }) => apiKey))
    })
    afterAll(async () => {
      await client.close()
      await kafka.stop()
    })

    it('has sends a request, and returns the response or throws its error code', async () => {
      const asked = protocol.apis.filter(({ key }) => served.has(key))
      expect(asked.length).toBeGreaterThan(15)
      const wrong: string[] = []
      for (const api of asked) {
        const before = sentTo(kafka, api)
        const outcome: unknown = await client
          .request(api, emptyBodyOf(api), { timeoutMs: 2_000 })
          .catch((error: unknown) => error)
        const isSent = sentTo(kafka, api) > before
        const isCode = outcome instanceof KafkaError && outcome.name === 'BrokerError'
        if (isSent && (isCode || !(outcome instanceof Error))) continue
        wrong.push(`${api.name}: ${isSent ? 'sent' : 'not sent'}, ${String(outcome)}`)
      }
      expect(wrong).toEqual([])
    })

    it('lacks sends nothing, and names the release of Kafka that has it', async () => {
      const lacking = protocol.apis.filter(({ key }) => !served.has(key))
      expect(lacking.length).toBeGreaterThan(0)
      for (const api of lacking) {
        const outcome: unknown = await client
          .request(api, emptyBodyOf(api))
          .catch((error: unknown) => error)
        expect(outcome).toBeInstanceOf(UnsupportedVersionError)
        expect(String(outcome)).toContain(`from ${releaseWith(api.key)} on`)
        expect(sentTo(kafka, api)).toBe(0)
      }
    })
  },
)

describe('client.request', () => {
  it('accepts only bodies with the fields of the API, as TypeScript checks', () => {
    const calls = (client: KafkaClient) => [
      client.request(protocol.describeGroups, { groups: ['g'] }),
      // @ts-expect-error -- no such field
      client.request(protocol.describeGroups, { groups: ['g'], topics: [] }),
      // @ts-expect-error -- a name, not a number
      client.request(protocol.describeGroups, { groups: [7] }),
      client.request(protocol.describeGroups, { groups: [] }).then(({ groups }) => {
        const [state]: string[] = groups.map(({ groupState }) => groupState)
        return state
      }),
    ]
    expect(calls).toBeInstanceOf(Function)
  })
})
