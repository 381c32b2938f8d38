import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import {
  changedLines,
  publicPart,
  reportProblems,
  undocumentedMembers,
} from '../../build/api-report.ts'

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

  it('contains what exported classes inherit, and no other internals', () => {
    const kept = publicPart(`
// @public
export class Consumer<Assigned extends Fixed<Value>> extends SingleTopic<Value, Fixed> implements Iterable<Value> {
    read(inbox: Inbox): void;
}

// @public
class Fixed {
}

// @public (undocumented)
class Inbox {
}

// @public
abstract class SingleTopic<Value> extends Base {
}

// @public
class Base {
    // (undocumented)
    seek(): void;
}

// @public
type AclOperations = ReturnType<typeof aclOperations>;

// @public
function aclOperations(): {
    createAcls(): void;
};

// @public
export interface Admin extends AclOperations {
}
`)
    expect(
      [...kept.matchAll(/(?:class|type|function|interface) (\w+)/g)].map(([, name]) => name),
    ).toEqual(['Consumer', 'SingleTopic', 'Base', 'AclOperations', 'aclOperations', 'Admin'])
    expect(undocumentedMembers(kept)).toEqual(['Base.seek'])
  })

  it('fails when a method of the real API is renamed, added or loses its docstring', () => {
    const committed = readFileSync('api/samsa.api.md', 'utf8')
    expect(reportProblems('samsa', committed, committed)).toEqual([])
    const renamed = committed.replace(
      '    partitions(call?: CallOptions)',
      '    parts(call?: CallOptions)',
    )
    expect(renamed).not.toBe(committed)
    expect(reportProblems('samsa', committed, renamed)).toEqual([
      expect.stringContaining("The public API of 'samsa' is not what its report in api/ has"),
      expect.stringContaining('-     partitions('),
      expect.stringContaining('+     parts('),
    ])
    const bare = committed.replace('    seek(', '    // (undocumented)\n    seek(')
    expect(reportProblems('samsa', committed, bare)[0]).toMatch(
      /^samsa: \w+\.seek has no docstring$/,
    )
  })
})
