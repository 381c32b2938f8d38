import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import { protocolErrorOf } from '../../../src/kafkajs/error-from.ts'

interface Fields extends Error {
  readonly type: string
  readonly code: number
  readonly retriable: boolean
}

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error.js') as {
  createErrorFromCode: (code: number) => Fields
}

const fieldsOf = ({ name, message, type, code, retriable }: Fields) => ({
  name,
  message,
  type,
  code,
  retriable,
})

describe('the error for an error code of Kafka', () => {
  // From the lowest to some that kafkajs does not know.
  const codes = Array.from({ length: 140 }, (_, index) => index - 1).filter((code) => code !== 0)

  it.each(codes)('has the text and the fields of kafkajs for the code %i', (code) => {
    expect(fieldsOf(protocolErrorOf(code))).toEqual(fieldsOf(createErrorFromCode(code)))
  })
})
