import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  changedLines,
  publicPart,
  reportProblems,
  undocumentedMembers,
} from '../../build/api-report.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { textUnionsOf, writtenOut } from '../../build/written-out.ts'

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
      '  export interface Address {',
      '-     readonly port: number;',
      '+     readonly port: string;',
    ])
    const added = `${REPORT}\n// @public\nexport type Acks = -1 | 0 | 1;\n`
    expect(changedLines(REPORT, added)).toEqual(['+ export type Acks = -1 | 0 | 1;'])
    expect(changedLines(added, REPORT)).toEqual(['- export type Acks = -1 | 0 | 1;'])
    const [address, topic] = REPORT.trim().split('\n\n')
    expect(changedLines(`${address}\n\n${topic}`, `${topic}\n\n${address}`)).toEqual([
      '  (the same lines in another order)',
    ])
  })

  it('contains the texts of unions, also of those that are computed from a constant', () => {
    const report = `
// @public
export type Color = (typeof COLORS)[number];

// @public
export type Pick = RequestOf<typeof pick>;
`
    const unions = new Map([['Color', ['blue', 'red']]])
    expect(writtenOut(report, unions)).toBe(
      report.replace('= (typeof COLORS)[number];', "=\n    | 'blue'\n    | 'red';"),
    )
    const computed = readdirSync('api').flatMap((file) => {
      const lines = readFileSync(`api/${file}`, 'utf8').split('\n')
      return lines.filter((line) => /^export type \w+ = (?!Re\w+Of<).*typeof /.test(line))
    })
    expect(computed).toEqual([])
  })

  it('contains the texts of the unions that a file of declarations computes', () => {
    using folder = new TemporaryFolder()
    const path = join(folder.path, 'index.d.ts')
    writeFileSync(
      path,
      "declare const COLORS: readonly ['red', 'blue']\n" +
        'export type Color = (typeof COLORS)[number]\n' +
        'export type Size = 1 | 2\n',
    )
    expect([...textUnionsOf(path, {})]).toEqual([['Color', ['blue', 'red']]])
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
      expect.stringMatching(/^ {2}export .*\{$/),
      expect.stringContaining('-     partitions('),
      expect.stringContaining('+     parts('),
    ])
    const bare = committed.replace('    seek(', '    // (undocumented)\n    seek(')
    expect(reportProblems('samsa', committed, bare)[0]).toMatch(
      /^samsa: \w+\.seek has no docstring$/,
    )
  })
})
