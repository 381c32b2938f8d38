import { describe, expect, it } from '@jest/globals'
import { apiOf, apis, apiVersions, metadata, produce } from '../../../protocol/apis/index.ts'
import {
  correlationIdOf,
  decodeBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../protocol/headers.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { layout } from '../../wire/support/layout.ts'

const SIZE_BYTES = 4

function frame(segments: readonly Uint8Array[]): string {
  return Buffer.concat(segments).toString('hex')
}

function hex(text: string): string {
  return layout(text).toString('hex')
}

describe('a request', () => {
  it('has header v1 before a body without tagged fields', () => {
    const topics = [{ name: 'a' }]
    expect(frame(encodeRequest(metadata, 1, 5, 'me', { topics }))).toBe(
      hex(`00000013   ; size
           0003 0001  ; API key and version
           00000005   ; correlation id
           0002 'me'  ; client id
           00000001 0001 'a'`),
    )
  })

  it('has header v2 before a flexible body, with its client id still not compact', () => {
    expect(frame(encodeRequest(metadata, 9, 5, 'me', { topics: null }))).toBe(
      hex(`00000012   ; size
           0003 0009  ; API key and version
           00000005   ; correlation id
           0002 'me'  ; client id
           00         ; the header's tagged fields
           00 01 00 00 00`),
    )
  })

  it('can omit its client id', () => {
    expect(frame(encodeRequest(apiVersions, 0, 5, null, {}))).toBe(
      hex('0000000a 0012 0000 00000005 ffff'),
    )
  })

  it('passes large records on without a copy, and its size includes them', () => {
    const records = Buffer.alloc(100_000, 1)
    const topicData = [{ name: 'a', partitionData: [{ index: 0, records }] }]
    const body = { acks: 1, timeoutMs: 1000, topicData }
    const segments = encodeRequest(produce, 3, 5, 'me', body)
    expect(segments).toContain(records)
    const whole = Buffer.concat(segments)
    expect(whole.readInt32BE(0)).toBe(whole.length - SIZE_BYTES)
  })

  it('is read back by a broker, whatever its size', () => {
    const name = 'x'.repeat(3000) // larger than the first buffer of the writer
    const whole = Buffer.concat(encodeRequest(metadata, 12, 5, 'me', { topics: [{ name }] }))
    expect(whole.readInt32BE(0)).toBe(whole.length - SIZE_BYTES)
    const { header, body } = decodeRequestHeader(whole.subarray(SIZE_BYTES), apiOf)
    expect(header).toEqual({ apiKey: 3, apiVersion: 12, correlationId: 5, clientId: 'me' })
    expect(decodeBody(metadata.request, 12, body)).toMatchObject({ topics: [{ name }] })
  })

  it('of an API or version unknown to the broker still has a header for a response', () => {
    const unknownApi = decodeRequestHeader(layout("7fff 0000 00000009 0002 'me' 'body'"), apiOf)
    expect(unknownApi.header).toMatchObject({ apiKey: 0x7fff, correlationId: 9, clientId: 'me' })
    const newer = decodeRequestHeader(layout("0012 0063 00000009 0002 'me' 00 'body'"), apiOf)
    expect(newer.header).toMatchObject({ apiVersion: 99, correlationId: 9, clientId: 'me' })
  })

  it('that ends within its header is rejected', () => {
    expect(() => decodeRequestHeader(layout('0012'), apiOf)).toThrow(ProtocolError)
    expect(() => decodeRequestHeader(layout('0012 0000 0000'), apiOf)).toThrow(
      'Request header v0: 4 bytes are expected, but only 2 are left, in correlationId, at byte 4',
    )
  })
})

describe('a response', () => {
  it('has header v1 if its body is flexible', () => {
    expect(frame(encodeResponse(metadata, 9, 5, { brokers: [], topics: [] }))).toMatch(
      /^000000150000000500/,
    )
    const text = '00000005 00  00000000 01 00 ffffffff 01 80000000 00'
    const { correlationId, body } = decodeResponse(metadata, 9, layout(text))
    expect(correlationId).toBe(5)
    expect(body).toMatchObject({ brokers: [], clusterId: null, controllerId: -1, topics: [] })
  })

  it('of ApiVersions has header v0 although its body is flexible (KIP-511)', () => {
    const segments = encodeResponse(apiVersions, 3, 5, { errorCode: 0, apiKeys: [] })
    expect(frame(segments)).toBe(
      hex(`0000000c        ; size
           00000005        ; correlation id, and no tagged fields after it
           0000 01         ; no error, no APIs
           00000000 00     ; throttle time, tagged fields`),
    )
  })

  it('of ApiVersions that refuses the version comes in version 0 (KIP-511)', () => {
    const refusal = '00000005 0023 00000001 0012 0000 0003'
    const { body } = decodeResponse(apiVersions, 4, layout(refusal))
    expect(body).toMatchObject({
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }],
    })
  })

  it('of ApiVersions that refuses the version is also read in the layout of the requested version', () => {
    // As librdkafka's mock cluster sends it: a compact array, and tagged fields.
    const refusal = '00000005 0023 02 0012 0000 0003 00 00000000 00'
    const { body } = decodeResponse(apiVersions, 4, layout(refusal))
    expect(body).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, maxVersion: 3 }] })
  })

  it('of ApiVersions that refuses the version without a readable list has an empty list', () => {
    const { body } = decodeResponse(apiVersions, 4, layout('00000005 0023 7f7f'))
    expect(body).toMatchObject({ errorCode: 35, apiKeys: [] })
  })

  it("can have bytes after its body, which are ignored as in Java's client", () => {
    const { body } = decodeResponse(apiVersions, 0, layout('00000005 0000 00000000  ff'))
    expect(body).toMatchObject({ errorCode: 0, apiKeys: [] })
  })

  it('keeps none of its unknown tagged fields', () => {
    const tagged = Array.from({ length: 100 }, (_, tag) => (tag + 20).toString(16) + '00').join('')
    const { body } = decodeResponse(
      apiVersions,
      3,
      layout(`00000005 0000 01 00000000 64 ${tagged}`),
    )
    expect(body).toMatchObject({ errorCode: 0, apiKeys: [] })
    expect(body).not.toHaveProperty('unknownTaggedFields')
  })

  it('that is too short for its header is rejected', () => {
    expect(() => decodeResponse(metadata, 9, layout('0000'))).toThrow(
      'Metadata response v9: 4 bytes are expected, but only 2 are left, in header.correlationId, at byte 0',
    )
    expect(() => correlationIdOf(layout('0000'))).toThrow(ProtocolError)
    expect(correlationIdOf(layout('00000007 00'))).toBe(7)
  })
})

describe('the list of APIs', () => {
  it('is sorted by key, has each API once, and finds an API by key', () => {
    const keys = apis.map(({ key }) => key)
    expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b))
    for (const api of apis) expect(apiOf(api.key)).toBe(api)
    expect(apiOf(4)).toBeUndefined()
  })
})
