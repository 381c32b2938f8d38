import { describe, expect, it } from '@jest/globals'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { unexplainedIn } from '../support/casts/unexplained.ts'

const files = ['protocol', 'src'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)

describe('the casts, and the non-null assertions of properties,', () => {
  it('are explained by a comment in protocol/ and src/', () => {
    expect(files.length).toBeGreaterThan(500)
    expect(files.flatMap((file) => unexplainedIn(file))).toEqual([])
  })
})

describe('the search for unexplained casts', () => {
  const found = (...lines: string[]) => unexplainedIn('a.ts', lines.join('\n'))

  it('finds a cast, and a non-null assertion of a property, with the line', () => {
    expect(found('let one', 'one = two as Three')).toEqual(['a.ts:2: two as Three'])
    expect(found('one = <Three>two')).toEqual(['a.ts:1: <Three>two'])
    expect(found('one = this.two!')).toEqual(['a.ts:1: this.two!'])
  })

  it('accepts a comment before the statement, before a part of it, or before a function of one statement', () => {
    expect(found('// The reason.', 'one = two as Three')).toEqual([])
    expect(found('call({', '  // The reason.', '  one: two as Three,', '})')).toEqual([])
    expect(
      found('/** The reason. */', 'function one(two: Two) {', '  return two as Three', '}'),
    ).toEqual([])
  })

  it('accepts a comment before an earlier cast to the same type in the same function', () => {
    const explained = ['  // The reason.', '  one = two as Three']
    const later = ['  zero(four as Three)', '}']
    expect(found('function one() {', ...explained, ...later)).toEqual([])
    expect(found('function one() {', ...explained, '  four as Five', '}')).toHaveLength(1)
    expect(found(...explained, 'function one() {', ...later, 'zero()')).toHaveLength(1)
  })

  it('does not accept a comment on the statement before, or on a longer function', () => {
    expect(found('// Another.', 'zero() // another', 'one = two as Three')).toHaveLength(1)
    expect(
      found('/** Another. */', 'function one() {', '  zero()', '  two as Three', '}'),
    ).toHaveLength(1)
  })

  it('requires no reason for "as const", "as unknown" and elements', () => {
    expect(
      found('one = [2] as const', 'two = three as unknown', 'four = five[0]! + six()! + seven!'),
    ).toEqual([])
  })
})
