import { describe, expect, it } from '@jest/globals'
import { ShareSession } from '../../../src/share/share-session.ts'

const one = { topicId: 'a', partition: 0 }
const two = { topicId: 'a', partition: 1 }

describe('a share session', () => {
  it('names partitions once, and those that are no longer read', () => {
    const session = new ShareSession()
    expect(session.isNew).toBe(true)
    expect(session.fetch([one, two])).toEqual({ epoch: 0, added: [one, two], forgotten: [] })
    session.answered()
    expect(session.fetch([one, two])).toEqual({ epoch: 1, added: [], forgotten: [] })
    session.answered()
    expect(session.fetch([two])).toEqual({ epoch: 2, added: [], forgotten: [one] })
    session.answered()
    expect(session.fetch([one, two])).toEqual({ epoch: 3, added: [one], forgotten: [] })
  })

  it('counts acknowledgements, which do not change the fetched partitions', () => {
    const session = new ShareSession()
    session.fetch([one])
    session.answered()
    expect(session.acknowledge()).toBe(1)
    session.answered()
    expect(session.fetch([one])).toEqual({ epoch: 2, added: [], forgotten: [] })
  })

  it('wraps to epoch 1 after the largest', () => {
    const session = new ShareSession(0x7fffffff)
    expect(session.fetch([one]).epoch).toBe(0x7fffffff)
    session.answered()
    expect(session.acknowledge()).toBe(1)
    expect(session.isNew).toBe(false)
  })

  it('restarts with all partitions after it was lost', () => {
    const session = new ShareSession()
    session.fetch([one])
    session.answered()
    session.lost()
    expect(session.isNew).toBe(true)
    expect(session.fetch([one])).toEqual({ epoch: 0, added: [one], forgotten: [] })
  })
})
