import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { BUILT_IN } from '../../../src/balanced/classic/settings.ts'

it('The table of assignors in docs/balanced-consumer.md has exactly the built-in ones', () => {
  const [, section] = readFileSync('docs/balanced-consumer.md', 'utf8').split('\n### Assignors\n')
  const [table] = section!.split('\n### ')
  const names = [...table!.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name)
  expect(names).toEqual(Object.keys(BUILT_IN))
})
