import { describe, expect, it } from '@jest/globals'
import { changedLines, undocumentedMembers } from '../../build/api-report.ts'

const REPORT = `
// @public (undocumented)
export interface Address {
    // (undocumented)
    readonly host: string;
    readonly port: number;
}

// @public
export class Topic {
    // (undocumented)
    [Symbol.asyncDispose](): Promise<void>;
    // (undocumented)
    get name(): string;
}
`

describe('the report of the public API', () => {
  it('names the members without a docstring, except those whose meaning the language defines', () => {
    expect(undocumentedMembers(REPORT)).toEqual(['Address', 'Address.host', 'Topic.name'])
  })

  it('shows which lines changed', () => {
    expect(changedLines(REPORT, REPORT)).toEqual([])
    expect(changedLines(REPORT, REPORT.replace('port: number', 'port: string'))).toEqual([
      '-     readonly port: number;',
      '+     readonly port: string;',
    ])
  })
})
