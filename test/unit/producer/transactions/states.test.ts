import { describe, expect, it } from '@jest/globals'
import {
  next,
  TRANSACTION_STATES,
  type Generation,
  type TransactionEvent,
  type TransactionState,
} from '../../../../src/producer/transactions/states.ts'

const EVENTS: readonly TransactionEvent[] = [
  'initialize',
  'initialized',
  'begin',
  'commit',
  'abort',
  'ended',
  'ended, epoch spent',
  'unanswered',
  'abortable error',
  'fatal error',
  'close',
]
const GENERATIONS: readonly Generation[] = [1, 2]

/** What is not here is refused. Written apart from the table of the source, which it checks. */
const EXPECTED: Readonly<Record<TransactionState, Readonly<Record<string, string>>>> = {
  uninitialized: { initialize: 'initializing' },
  initializing: {
    initialized: 'ready',
    unanswered: 'uninitialized',
    'abortable error': 'uninitialized',
  },
  ready: { begin: 'in transaction' },
  'in transaction': { commit: 'committing', abort: 'aborting', 'abortable error': 'abortable' },
  committing: {
    ended: 'ready',
    'ended, epoch spent': 'uninitialized',
    unanswered: 'unknown outcome',
    'abortable error': 'abortable',
  },
  aborting: {
    ended: 'ready',
    'ended, epoch spent': 'uninitialized',
    unanswered: 'unknown outcome',
    'abortable error': 'aborting',
  },
  abortable: { abort: 'aborting', 'abortable error': 'abortable' },
  'unknown outcome': {
    commit: 'committing',
    abort: 'aborting',
    'abortable error': 'unknown outcome',
  },
  fatal: {},
  closed: {},
}

function expectedOf(state: TransactionState, event: TransactionEvent, generation: Generation) {
  if (state === 'closed') return undefined
  if (event === 'fatal error') return 'fatal'
  if (event === 'close') return 'closed'
  const found = EXPECTED[state][event]
  const [only, limited] = found?.split(': ') ?? []
  if (limited === undefined) return found
  return Number(only) === generation ? limited : undefined
}

describe('the states of a transactional producer', () => {
  const cells = GENERATIONS.flatMap((generation) =>
    TRANSACTION_STATES.flatMap((state) =>
      EVENTS.map((event) => ({
        generation,
        state,
        event,
        to: expectedOf(state, event, generation),
      })),
    ),
  )

  it.each(cells)(
    'generation $generation: $event when it is $state leads to $to',
    ({ generation, state, event, to }) => {
      expect(next(state, event, generation)).toBe(to)
    },
  )

  it('never begin a transaction before the previous one has a known end', () => {
    for (const state of TRANSACTION_STATES) {
      for (const generation of GENERATIONS) {
        expect(next(state, 'begin', generation) !== undefined).toBe(state === 'ready')
      }
    }
  })

  it('never commit after an error', () => {
    for (const generation of GENERATIONS) {
      expect(next('abortable', 'commit', generation)).toBeUndefined()
      expect(next('fatal', 'commit', generation)).toBeUndefined()
      expect(next('fatal', 'abort', generation)).toBeUndefined()
    }
  })
})
