import { expect, it } from '@jest/globals'
import { DelegationTokens } from '../../src/embedded/security/delegation-tokens.ts'
import { memoryStorage } from '../../src/embedded/storage/cluster-storage.ts'

it('no id of a delegation token begins with a hyphen, which a command would read as an option', () => {
  const tokens = new DelegationTokens('a key for tests', memoryStorage())
  const ids = Array.from({ length: 2_000 }, () => {
    const owner = { owner: 'User:alice', requester: 'User:alice', renewers: [] }
    return tokens.create(owner, -1, 0).tokenId
  })
  expect(ids.filter((id) => id.startsWith('-'))).toEqual([])
})
