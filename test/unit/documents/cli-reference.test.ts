import { expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'

it('docs/cli.md contains the reference generated from the command declarations: npm run docs:cli', () => {
  // prettier loads its parsers by import(), which Jest does not have.
  const changed = execFileSync(
    process.execPath,
    ['--import', 'tsx', 'build/cli-reference.ts', '--check'],
    { encoding: 'utf8' },
  )
  expect(changed).toBe('')
})
