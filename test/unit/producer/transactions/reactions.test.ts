import { describe, expect, it } from '@jest/globals'
import { ErrorCode, type ErrorName } from '../../../../protocol/errors.ts'
import {
  BrokerError,
  RequestTimeoutError,
  SocketDisconnectedError,
  UnsupportedVersionError,
} from '../../../../src/errors.ts'
import {
  transactionReactionTo,
  type TransactionReaction,
  type TransactionRequest,
} from '../../../../src/producer/transactions/reactions.ts'
import type { Generation } from '../../../../src/producer/transactions/states.ts'

const REQUESTS: readonly TransactionRequest[] = [
  'InitProducerId',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'Produce',
  'EndTxn',
]

function to(
  request: TransactionRequest,
  name: ErrorName,
  generation: Generation,
): TransactionReaction {
  return transactionReactionTo(request, new BrokerError(ErrorCode[name], 'testing'), generation)
}

/** One for all requests, or one for each in the order of REQUESTS. */
const EXPECTED: readonly (readonly [ErrorName, ...TransactionReaction[]])[] = [
  ['PRODUCER_FENCED', 'fenced'],
  ['INVALID_PRODUCER_EPOCH', 'fenced', 'fenced', 'fenced', 'fenced', 'abortable', 'fenced'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'fatal'],
  ['TRANSACTION_COORDINATOR_FENCED', 'fatal'],
  ['TRANSACTION_ABORTABLE', 'abortable'],
  ['INVALID_TXN_STATE', 'fatal', 'fatal', 'fatal', 'fatal', 'abortable', 'fatal'],
  [
    'UNKNOWN_SERVER_ERROR',
    'fatal',
    'abortable',
    'abortable',
    'abortable',
    'abortable',
    'unanswered',
  ],
  // Those that are retried: what they mean once the time is over.
  ...(
    [
      'CONCURRENT_TRANSACTIONS',
      'COORDINATOR_LOAD_IN_PROGRESS',
      'COORDINATOR_NOT_AVAILABLE',
      'NOT_COORDINATOR',
      'REQUEST_TIMED_OUT',
    ] as const
  ).map(
    (name) =>
      [
        name,
        'unanswered',
        'abortable',
        'abortable',
        'abortable',
        'abortable',
        'unanswered',
      ] as const,
  ),
  ...(
    [
      'ILLEGAL_GENERATION',
      'UNKNOWN_MEMBER_ID',
      'FENCED_INSTANCE_ID',
      'STALE_MEMBER_EPOCH',
      'GROUP_AUTHORIZATION_FAILED',
      'TOPIC_AUTHORIZATION_FAILED',
      'MESSAGE_TOO_LARGE',
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    ] as const
  ).map(
    (name) => [name, 'fatal', 'abortable', 'abortable', 'abortable', 'abortable', 'fatal'] as const,
  ),
]

describe('the reaction of a transaction to an error', () => {
  const cells = EXPECTED.flatMap(([name, ...reactions]) =>
    REQUESTS.flatMap((request, index) =>
      ([1, 2] as const).map((generation) => ({
        request,
        name,
        generation,
        reaction: reactions[index] ?? reactions[0]!,
      })),
    ),
  )

  it.each(cells)(
    'generation $generation: $name of $request is $reaction',
    ({ request, name, generation, reaction }) => {
      expect(to(request, name, generation)).toBe(reaction)
    },
  )

  it('is defined for every error of every request, and never treats one as success', () => {
    for (const name of Object.keys(ErrorCode) as ErrorName[]) {
      for (const request of REQUESTS) {
        for (const generation of [1, 2] as const) {
          expect(to(request, name, generation)).not.toBe('ended')
        }
      }
    }
  })

  it('is a new epoch when the broker has lost the producer id', () => {
    for (const request of REQUESTS) {
      const expected = request === 'InitProducerId' ? 'fatal' : 'abortable'
      expect(to(request, 'INVALID_PRODUCER_ID_MAPPING', 1)).toBe(expected)
      // In generation 2 the next epoch would come from the coordinator that does not know the id.
      expect(to(request, 'INVALID_PRODUCER_ID_MAPPING', 2)).toBe('fatal')
      expect(to(request, 'UNKNOWN_PRODUCER_ID', 1)).toBe(expected)
      expect(to(request, 'UNKNOWN_PRODUCER_ID', 2)).toBe(expected)
    }
    const lost = new BrokerError(ErrorCode.INVALID_PRODUCER_ID_MAPPING, 'testing')
    expect(transactionReactionTo('EndTxn', lost, 1, true)).toBe('ended')
    expect(transactionReactionTo('EndTxn', lost, 2, true)).toBe('fatal')
  })

  it('allows an abort to be repeated that did not end the transaction', () => {
    const error = new BrokerError(ErrorCode.TRANSACTION_ABORTABLE, 'testing')
    expect(transactionReactionTo('EndTxn', error, 2, true)).toBe('unanswered')
    expect(transactionReactionTo('EndTxn', error, 2, false)).toBe('abortable')
  })

  it('treats a refused abort as the end of the transaction', () => {
    const error = new BrokerError(ErrorCode.INVALID_TXN_STATE, 'testing')
    expect(transactionReactionTo('EndTxn', error, 1, true)).toBe('ended')
    expect(transactionReactionTo('EndTxn', error, 1, false)).toBe('fatal')
  })

  it('leaves the outcome unknown when the broker did not respond', () => {
    const lost = new SocketDisconnectedError('lost', {})
    const late = new RequestTimeoutError('late', {})
    for (const error of [lost, late, new Error('aborted')]) {
      expect(transactionReactionTo('EndTxn', error, 2)).toBe('unanswered')
      expect(transactionReactionTo('Produce', error, 2)).toBe('abortable')
    }
    expect(transactionReactionTo('EndTxn', new UnsupportedVersionError('old'), 1)).toBe('fatal')
  })
})
