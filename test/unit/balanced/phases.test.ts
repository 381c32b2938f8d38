import { describe, expect, it } from '@jest/globals'
import { nextPhase, type Phase, type Situation } from '../../../src/balanced/phases.ts'

const calm: Situation = { isIncomplete: false, isChanged: false, hasLost: false, isEnding: false }

/** The phases that follow one another while the situation stays as it is. */
function path(from: Phase, situation: Situation, steps: number): Phase[] {
  const phases: Phase[] = []
  let phase = from
  for (let step = 0; step < steps; step++) phases.push((phase = nextPhase(phase, situation)))
  return phases
}

describe('the phases of a rebalance', () => {
  it('lead from the start to the settled state', () => {
    const round = ['surrendering', 'joining', 'yielding', 'claiming', 'starting', 'settled']
    expect(path('idle', calm, 6)).toEqual(round)
    expect(path('settled', calm, 6)).toEqual(round)
    expect(path('waiting', calm, 6)).toEqual(round)
  })

  it('start another round when something changed in the previous one', () => {
    expect(nextPhase('starting', { ...calm, isChanged: true })).toBe('surrendering')
  })

  it('do not claim by an outdated assignment', () => {
    expect(nextPhase('yielding', { ...calm, isChanged: true })).toBe('surrendering')
  })

  it('start claimed partitions before they wait for those that others still hold', () => {
    expect(path('claiming', { ...calm, isIncomplete: true }, 2)).toEqual(['starting', 'waiting'])
  })

  it.each(['surrendering', 'joining', 'yielding', 'starting'] as const)(
    'wait after %s failed',
    (phase) => {
      expect(nextPhase(phase, { ...calm, isIncomplete: true })).toBe('waiting')
    },
  )

  const all = [
    'idle',
    'surrendering',
    'joining',
    'yielding',
    'claiming',
    'starting',
    'settled',
    'waiting',
    'losing',
  ] as const

  it.each(all)('call the hook for lost partitions first, after %s', (phase) => {
    expect(nextPhase(phase, { ...calm, hasLost: true, isEnding: true })).toBe('losing')
  })

  it.each(all)('end after %s by leaving', (phase) => {
    expect(path(phase, { ...calm, isEnding: true }, 3)).toEqual(['leaving', 'closed', 'closed'])
  })
})
