import { describe, expect, it } from '@jest/globals'
import { audit, type CutOff } from '../../../examples/demo/audit.ts'
import { Ledger } from '../../../examples/demo/ledger.ts'

/** Partition 0 with the messages `a`, `b`, `c`, read by A unless said otherwise. */
function ledgerOf(...reads: readonly (readonly [member: string, checksum: string])[][]): Ledger {
  const ledger = new Ledger([0])
  for (const checksum of ['a', 'b', 'c']) ledger.addSent(0, checksum)
  for (const [offset, readers] of reads.entries()) {
    for (const [member, checksum] of readers) ledger.addRead(0, offset, { member, checksum })
  }
  return ledger
}

function killed(name: string, committed: number): CutOff {
  return { name, wasKilled: true, committed: new Map([[0, committed]]) }
}

describe('the audit of the demo', () => {
  it('accepts a log in which each message was read once as it was sent', () => {
    const result = audit(ledgerOf([['A', 'a']], [['B', 'b']], [['B', 'c']]), [])
    expect(result).toMatchObject({ sent: 3, read: 3, duplicates: 0, problems: [] })
    expect(result.readDigest).toBe(result.sentDigest)
  })

  it('reports a message without a reader', () => {
    const ledger = ledgerOf([['A', 'a']], [], [['A', 'c']])
    expect(ledger.totalLag).toBe(1)
    const result = audit(ledger, [])
    expect(result.problems).toEqual(['partition 0: 1 messages were lost, the first is 1'])
    expect(result.readDigest).not.toBe(result.sentDigest)
  })

  it('reports bytes that differ from what was sent', () => {
    const result = audit(ledgerOf([['A', 'a']], [['A', 'x']], [['A', 'c']]), [])
    expect(result.problems).toEqual([
      'partition 0: 1 messages differ from the messages sent, the first is 1',
    ])
    expect(result.readDigest).not.toBe(result.sentDigest)
  })

  it('reports messages that were never sent', () => {
    const result = audit(ledgerOf([['A', 'a']], [['A', 'b']], [['A', 'c']], [['A', 'd']]), [])
    expect(result.problems).toEqual(['partition 0: 1 messages were never sent, the first is 3'])
  })

  describe('of messages that were read again', () => {
    const twice = [[['A', 'a']], [['A', 'b']], [['A', 'c']]] as [string, string][][]
    twice[1]!.push(['B', 'b'])
    twice[2]!.push(['B', 'c'])

    it('accepts those that a killed process had not committed', () => {
      const result = audit(ledgerOf(...twice), [killed('A', 1)])
      expect(result).toMatchObject({ read: 3, duplicates: 2, problems: [] })
    })

    it('reports those that a killed process had committed', () => {
      const result = audit(ledgerOf(...twice), [killed('A', 2)])
      expect(result.problems).toEqual([
        'partition 0: 1 messages were read again without a reason, the first is 1',
      ])
    })

    it('reports those of a process that was not killed', () => {
      expect(audit(ledgerOf(...twice), [killed('C', 0)]).problems).toEqual([
        'partition 0: 2 messages were read again without a reason, the first is 1',
      ])
    })

    it('reports those that two others read beside a killed one', () => {
      const ledger = ledgerOf(...twice)
      ledger.addRead(0, 2, { member: 'C', checksum: 'c' })
      expect(audit(ledger, [killed('A', 0)]).problems).toEqual([
        'partition 0: 1 messages were read again without a reason, the first is 2',
      ])
    })

    it('reports those that a killed process itself read twice', () => {
      const ledger = ledgerOf([['A', 'a']], [['A', 'b']], [['A', 'c']])
      ledger.addRead(0, 2, { member: 'A', checksum: 'c' })
      expect(audit(ledger, [killed('A', 0)]).problems).toHaveLength(1)
    })

    it('accepts those that a process reads again after it lost its session', () => {
      const ledger = ledgerOf([['A', 'a']], [['A', 'b']], [['A', 'c']])
      ledger.addRead(0, 2, { member: 'A', checksum: 'c' })
      const lost = { ...killed('A', 2), wasKilled: false }
      expect(audit(ledger, [lost]).problems).toEqual([])
    })
  })
})
