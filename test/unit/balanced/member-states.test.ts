import { describe, expect, it } from '@jest/globals'
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import {
  nextState,
  reactionTo,
  type MemberEvent,
  type MemberState,
} from '../../../src/balanced/classic/member-states.ts'
import { BrokerError } from '../../../src/errors.ts'

const through = (...events: readonly MemberEvent[]) =>
  events.reduce<MemberState>((state, event) => nextState(state, event), 'unjoined')

describe('a member of a classic group', () => {
  it('goes from joining to the end', () => {
    expect(through('join', 'joined', 'synced')).toBe('stable')
    expect(through('join', 'joined', 'synced', 'leave', 'left')).toBe('left')
  })

  it('repeats its states for each rebalance, at any point of one', () => {
    expect(through('join', 'joined', 'synced', 'join')).toBe('joining')
    expect(through('join', 'joined', 'join')).toBe('joining')
    expect(through('join', 'join', 'joined', 'synced')).toBe('stable')
  })

  it('returns to the start when it is lost, or gives up', () => {
    expect(through('join', 'joined', 'synced', 'lost')).toBe('unjoined')
    expect(through('join', 'abandoned')).toBe('unjoined')
    expect(through('join', 'joined', 'abandoned', 'lost')).toBe('unjoined')
  })

  it('can only leave when the group refuses it', () => {
    expect(through('join', 'refused', 'leave', 'left')).toBe('left')
    expect(() => through('join', 'refused', 'join')).toThrow(
      "the event 'join' is not possible in the state 'refused'",
    )
  })

  it('makes no transition that is not in the table', () => {
    expect(() => through('joined')).toThrow(
      "the event 'joined' is not possible in the state 'unjoined'",
    )
    expect(() => through('join', 'synced')).toThrow('joining')
    expect(() => through('join', 'leave', 'left', 'join')).toThrow('left')
  })
})

describe('an error of the coordinator', () => {
  it.each<[ErrorName, string]>([
    ['REBALANCE_IN_PROGRESS', 'again'],
    ['UNKNOWN_MEMBER_ID', 'new member'],
    ['ILLEGAL_GENERATION', 'new generation'],
    ['NOT_COORDINATOR', 'later'],
    ['COORDINATOR_NOT_AVAILABLE', 'later'],
    ['COORDINATOR_LOAD_IN_PROGRESS', 'later'],
    ['FENCED_INSTANCE_ID', 'refused'],
    ['INCONSISTENT_GROUP_PROTOCOL', 'refused'],
    ['GROUP_AUTHORIZATION_FAILED', 'refused'],
    ['GROUP_MAX_SIZE_REACHED', 'refused'],
    ['INVALID_SESSION_TIMEOUT', 'refused'],
  ])('%s means: %s', (name, reaction) => {
    expect(reactionTo(new BrokerError(ErrorCode[name], 'a test'))).toBe(reaction)
  })
})
