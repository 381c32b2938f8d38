import { describe, expect, it } from '@jest/globals'
import { ErrorCode, type ErrorName } from '../../../../protocol/errors.ts'
import {
  nextState,
  reactionTo,
  type MemberEvent,
  type MemberState,
} from '../../../../src/balanced/consumer/member-states.ts'
import { BrokerError } from '../../../../src/errors.ts'

const through = (...events: readonly MemberEvent[]) =>
  events.reduce<MemberState>((state, event) => nextState(state, event), 'unjoined')

describe('a member of a consumer group', () => {
  it('goes from joining to the end', () => {
    expect(through('join', 'joined')).toBe('member')
    expect(through('join', 'join', 'joined', 'leave', 'left')).toBe('left')
    expect(through('leave', 'left')).toBe('left')
  })

  it('returns to the start when it is fenced, or when joining fails', () => {
    expect(through('join', 'joined', 'fenced')).toBe('unjoined')
    expect(through('join', 'joined', 'fenced', 'join', 'joined')).toBe('member')
    expect(through('join', 'abandoned')).toBe('unjoined')
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
    expect(() => through('join', 'joined', 'leave', 'joined')).toThrow("in the state 'leaving'")
  })
})

describe('a heartbeat response with', () => {
  it.each<[ErrorName, string]>([
    ['UNKNOWN_MEMBER_ID', 'fenced'],
    ['FENCED_MEMBER_EPOCH', 'fenced'],
    ['NOT_COORDINATOR', 'later'],
    ['COORDINATOR_NOT_AVAILABLE', 'later'],
    ['COORDINATOR_LOAD_IN_PROGRESS', 'later'],
    ['REQUEST_TIMED_OUT', 'later'],
    ['NETWORK_EXCEPTION', 'later'],
    ['TOPIC_AUTHORIZATION_FAILED', 'problem'],
    ['UNRELEASED_INSTANCE_ID', 'instance held'],
    ['FENCED_INSTANCE_ID', 'refused'],
    ['UNSUPPORTED_ASSIGNOR', 'refused'],
    ['INVALID_REGULAR_EXPRESSION', 'refused'],
    ['GROUP_MAX_SIZE_REACHED', 'refused'],
    ['INVALID_REQUEST', 'refused'],
    ['GROUP_AUTHORIZATION_FAILED', 'refused'],
    ['GROUP_ID_NOT_FOUND', 'no group'],
    ['UNSUPPORTED_VERSION', 'refused'],
  ])('%s means: %s', (code, reaction) => {
    expect(reactionTo(new BrokerError(ErrorCode[code], 'a heartbeat'))).toBe(reaction)
  })
})
