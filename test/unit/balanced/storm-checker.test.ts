import { describe, expect, it } from '@jest/globals'
import { check } from '../../support/balanced/storm/checker.ts'
import type { Committed, Deed, Life, MemberEvent } from '../../support/balanced/storm/events.ts'

function life(name: string, events: readonly MemberEvent[], deeds: readonly Deed[] = []): Life {
  return { name, events, deeds }
}
const assigned = (at: number): MemberEvent => ({ at, what: 'assigned', partitions: [0] })
const message = (at: number, offset: number): MemberEvent => ({
  ...{ at, what: 'message', partition: 0, offset },
})
const processed = (at: number, offset: number): MemberEvent => ({
  ...{ at, what: 'processed', partition: 0, offset },
})
const committed = (at: number, offset: number): Committed => ({
  at,
  offsets: new Map([[0, offset]]),
})
const given = (at: number): MemberEvent => ({ at, what: 'given', partitions: [0] })
const lost = (at: number): MemberEvent => ({ at, what: 'lost', partitions: [0] })
const problems = (lives: readonly Life[], end: number, commits: readonly Committed[] = []) =>
  check(lives, new Map([[0, end]]), commits).problems

describe('the checker of the storm test', () => {
  it('accepts a partition that moves from one member to another in order', () => {
    const a = life('a', [assigned(1), message(2, 0), processed(2.5, 0)])
    const b = life('b', [assigned(4), message(5, 1), processed(6, 1)])
    expect(problems([a, b], 2, [committed(3, 1), committed(7, 2)])).toEqual([])
  })

  it('reports a commit of a message that was in process', () => {
    const a = life('a', [
      assigned(1),
      message(2, 0),
      processed(3, 0),
      message(3, 1),
      processed(5, 1),
    ])
    expect(problems([a], 2, [committed(3.5, 1), committed(6, 2)])).toEqual([])
    expect(problems([a], 2, [committed(4, 2)])).toEqual([
      'partition 0: 1 was committed while a was processing it',
    ])
  })

  it('reports messages that were committed unprocessed, or before they were delivered', () => {
    const a = life('a', [assigned(1), message(2, 0)])
    expect(problems([a], 1, [committed(4, 1)])).toEqual([
      'partition 0: 0 was committed while a was processing it',
    ])
    expect(problems([a], 1, [committed(1.5, 1)])).toEqual([
      'partition 0: 0 was committed before it was delivered',
    ])
  })

  it('reports messages that were never delivered', () => {
    expect(problems([life('a', [assigned(1), message(2, 0)])], 2)).toEqual([
      'partition 0: 1 messages were lost, the first is 1',
    ])
  })

  it('reports a member that delivers messages of a partition of another member', () => {
    const a = life('a', [assigned(1), message(5, 0)])
    const b = life('b', [assigned(4), message(6, 1)])
    expect(problems([a, b], 2)).toEqual(["partition 0: a delivered 0 when it was b's"])
  })

  it('reports a message that is delivered again after its partition was released in order', () => {
    const a = life('a', [assigned(1), message(2, 0), given(3)])
    const b = life('b', [assigned(4), message(5, 0)])
    expect(problems([a, b], 1)).toEqual(['partition 0: 0 came again, though a gave it up in order'])
  })

  it('reports a message that is delivered again while its first reader still has the partition', () => {
    const a = life('a', [assigned(1), message(2, 0)])
    const b = life('b', [assigned(4), message(5, 0)])
    expect(problems([a, b], 1)).toEqual(['partition 0: 0 came again, though a still had it'])
  })

  it('accepts repeats of what was lost with a session, also when its owner learns of the loss last', () => {
    const a = life('a', [assigned(1), message(2, 0), lost(9)])
    const b = life('b', [assigned(4), message(5, 0)])
    expect(problems([a, b], 1)).toEqual([])
  })

  it('accepts repeats of what a killed process had not committed, and nothing more', () => {
    const killed: Deed = { at: 3, what: 'kill' }
    const b = life('b', [assigned(4), message(5, 0)])
    const a = [assigned(1), message(2, 0)]
    expect(problems([life('a', a, [killed]), b], 1)).toEqual([])
    const done = life('a', [...a, processed(2.2, 0)], [killed])
    expect(problems([done, b], 1, [committed(2.5, 1)])).toEqual([
      'partition 0: 0 came again, though it was committed',
    ])
  })

  it('accepts a repeat of the one message that was delivered when a process was stopped', () => {
    const deeds: Deed[] = [
      { at: 2, what: 'stop' },
      { at: 9, what: 'continue' },
    ]
    const b = life('b', [assigned(4), message(5, 0), message(6, 1)])
    expect(problems([life('a', [assigned(1), message(10, 0)], deeds), b], 2)).toEqual([])
    expect(
      problems([life('a', [assigned(1), message(10, 0), message(11, 1)], deeds), b], 2),
    ).toContain("partition 0: a delivered 1 when it was b's")
  })

  it('treats the first message after a stop as a new one if another event came first', () => {
    const deeds: Deed[] = [
      { at: 2, what: 'stop' },
      { at: 9, what: 'continue' },
    ]
    const a = life('a', [assigned(1), lost(10), assigned(11), message(12, 1)], deeds)
    const b = life('b', [assigned(4), message(5, 0), given(8)])
    expect(problems([a, b], 2)).toEqual([])
    const late = life('a', [assigned(1), lost(10), message(12, 1)], deeds)
    expect(problems([late, b], 2)).toEqual(["partition 0: a delivered 1 when it was b's"])
  })
})
