import { expect } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ToolComparison } from './tool-comparison.ts'

export const access: ToolComparison = {
  name: 'access: sets entries, users and quotas that the tools show',
  run: async ({ samsa, tools, folder, isNew }) => {
    await samsa.output(
      'acl create --principal User:bob --operation read --topic orders --yes --json',
    )
    const shown = (await tools.run('acls', ['--list', '--topic', 'orders'])).stdout
    expect(shown).toContain('User:bob')
    expect(shown).toMatch(/READ|Read/)
    await samsa.output('acl delete --principal User:bob --yes --json')
    expect((await tools.run('acls', ['--list', '--topic', 'orders'])).stdout).not.toContain(
      'User:bob',
    )

    const file = join(folder.path, 'secret')
    writeFileSync(file, 'correct horse\n')
    const setUser = await samsa.run(
      `user set carol --scram SCRAM-SHA-256 --new-password-file ${file}`,
    )
    const setQuota = await samsa.run('quota set producer_byte_rate=1000000 --for-user carol --yes')
    if (isNew) {
      expect([setUser.exitCode, setQuota.exitCode]).toEqual([0, 0])
      expect(await tools.config('users', 'carol')).toMatch(/producer_byte_rate=1000000(?:\.0)?/)
      expect(await tools.config('users', 'carol')).toContain('SCRAM-SHA-256=iterations=4096')
    } else {
      // These requests came with 2.7 and 2.6.
      for (const { exitCode, stderr } of [setUser, setQuota]) {
        expect(exitCode).toBe(1)
        expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^samsa: .*from 2\.[67] on$/)
      }
    }
  },
}
