import { describe, expect, it } from '@jest/globals'
import { check } from '../../support/chaos/checker/check.ts'
import type {
  AnomalyKind,
  Consumer,
  ConsumerEvent,
  History,
  Log,
  LogEntry,
  Send,
} from '../../support/chaos/checker/history.ts'

const PARTITIONS = 2
const PER_PARTITION = 6
const GROUP = 'group'

const idOf = (partition: number, sequence: number, producer = 'p') =>
  `${producer}/${partition}/${sequence}`

/** A message a partition and sequence, acknowledged at the offset of its sequence. */
function sends(producer = 'p', since = 0): Send[] {
  return range(PARTITIONS).flatMap((partition) =>
    range(PER_PARTITION).map((sequence) => ({
      id: idOf(partition, sequence, producer),
      producer,
      lane: String(partition),
      sequence,
      partition,
      at: since + sequence * 10,
      outcome: {
        what: 'acknowledged' as const,
        at: since + sequence * 10 + 5,
        partition,
        offset: sequence,
      },
    })),
  )
}

function entriesOf(producer = 'p'): LogEntry[] {
  return range(PARTITIONS).flatMap((partition) =>
    range(PER_PARTITION).map((offset) => ({
      partition,
      offset,
      id: idOf(partition, offset, producer),
    })),
  )
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

/** Delivers and processes these offsets of a partition, one each ten milliseconds. */
function reading(
  partition: number,
  offsets: readonly number[],
  since: number,
  producer = 'p',
): ConsumerEvent[] {
  return offsets.flatMap((offset, index) => {
    const at = since + index * 10
    const id = idOf(partition, offset, producer)
    return [
      { at, what: 'delivered', partition, offset, id },
      { at: at + 5, what: 'processed', partition, offset, id },
    ] as const
  })
}

const assigned = (at: number, ...partitions: number[]): ConsumerEvent => ({
  at,
  what: 'assigned',
  partitions,
})

function member(name: string, events: readonly ConsumerEvent[], more = {}): Consumer {
  const inOrder = events.toSorted((a, b) => a.at - b.at)
  return { name, group: GROUP, order: 'partition', events: inOrder, deeds: [], ...more }
}

const ALL = range(PER_PARTITION)

const log = (entries: readonly LogEntry[], more: Partial<Log> = {}): Log => ({
  createdAt: 0,
  entries,
  readAgain: entries,
  starts: new Map(),
  ...more,
})

/** One producer, one member that reads all and commits it in two steps, and nothing wrong. */
function flawless(): History {
  const events = [assigned(100, 0, 1), ...reading(0, ALL, 110), ...reading(1, ALL, 111)]
  return {
    sends: sends(),
    consumers: [member('a', events)],
    commits: [commit(140, [0, 2], [1, 2]), commit(400, [0, PER_PARTITION], [1, PER_PARTITION])],
    logs: [log(entriesOf())],
  }
}

function commit(at: number, ...offsets: (readonly [number, number])[]) {
  return { at, group: GROUP, offsets: new Map(offsets) }
}

function withEntries(change: (entries: LogEntry[]) => LogEntry[]): History {
  const history = flawless()
  return { ...history, logs: [log(change(entriesOf()))], consumers: [], commits: [] }
}

function withSend(id: string, change: Partial<Send>): History {
  const history = flawless()
  return {
    ...history,
    sends: history.sends.map((send) => (send.id === id ? { ...send, ...change } : send)),
  }
}

function withMembers(...consumers: Consumer[]): History {
  return { ...flawless(), consumers }
}

const [first, second] = [ALL.slice(0, 3), ALL.slice(3)]
const readsPartition1 = [assigned(100, 1), ...reading(1, ALL, 111)]

const failed = (isCertain: boolean) => ({
  outcome: { what: 'failed' as const, at: 50, isCertain, error: 'timed out' },
})

/** A topic that was deleted and created again: both are read by one member, which commits at the end. */
function recreated(lastCommit: number): History {
  return {
    sends: [...sends(), ...sends('q', 1_000)],
    logs: [
      log(entriesOf(), { deletedAt: 800 }),
      log(
        entriesOf('q').filter(({ offset }) => offset < 4),
        { createdAt: 900 },
      ),
    ],
    consumers: [
      member('a', [
        assigned(100, 0, 1),
        ...reading(0, ALL, 110),
        ...reading(1, ALL, 111),
        ...reading(0, ALL.slice(0, 4), 1_110, 'q'),
        ...reading(1, ALL.slice(0, 4), 1_111, 'q'),
      ]),
    ],
    commits: [commit(400, [0, PER_PARTITION], [1, PER_PARTITION]), commit(1_500, [0, lastCommit])],
  }
}

function onlyFour(history: History): History {
  const isThere = ({ producer, sequence }: Send) => producer === 'p' || sequence < 4
  return { ...history, sends: history.sends.filter(isThere) }
}

/** Each anomaly that the checker knows, planted in a history without flaws. */
const PLANTED: readonly (readonly [string, AnomalyKind, History])[] = [
  [
    'an acknowledged message is not in the log',
    'lost',
    withEntries((entries) => entries.filter(({ id }) => id !== idOf(0, 5))),
  ],
  [
    'a message is in the log twice',
    'duplicated',
    withEntries((entries) => [...entries, { partition: 0, offset: 6, id: idOf(0, 2) }]),
  ],
  [
    'two messages of a lane changed places',
    'reordered',
    withEntries((entries) =>
      entries.map((entry) =>
        entry.partition !== 0 || entry.offset < 4
          ? entry
          : { ...entry, id: idOf(0, entry.offset === 4 ? 5 : 4) },
      ),
    ),
  ],
  [
    'a message is at another offset than acknowledged',
    'misplaced',
    withSend(idOf(0, 5), { outcome: { what: 'acknowledged', at: 50, partition: 0, offset: 9 } }),
  ],
  [
    'a message is in another partition than it was sent to',
    'misplaced',
    withSend(idOf(0, 5), { partition: 1 }),
  ],
  [
    'two messages are acknowledged at one offset',
    'misplaced',
    withSend(idOf(0, 5), { outcome: { what: 'acknowledged', at: 50, partition: 0, offset: 4 } }),
  ],
  [
    'a message that failed for certain is in the log',
    'false failure',
    withSend(idOf(0, 5), failed(true)),
  ],
  [
    'the log has a message that no producer sent',
    'foreign',
    withEntries((entries) => [...entries, { partition: 1, offset: 6, id: 'x/1/0' }]),
  ],
  [
    'two clients read different messages',
    'disagreement',
    { ...flawless(), logs: [log(entriesOf(), { readAgain: entriesOf().slice(1) })] },
  ],
  [
    'a reader passes over a message that is delivered later',
    'skipped',
    withMembers(member('a', [...readsPartition1, assigned(100, 0), ...reading(0, [0, 2, 1], 110)])),
  ],
  [
    'a reader gets a message again',
    'repeated',
    withMembers(
      member('a', [
        ...readsPartition1,
        assigned(100, 0),
        ...reading(0, [0, 1, 1, 2, 3, 4, 5], 110),
      ]),
    ),
  ],
  [
    'a reader gets another message than the log has',
    'altered',
    withMembers(
      member('a', [
        ...readsPartition1,
        assigned(100, 0),
        ...reading(0, ALL, 110).map((event) =>
          'offset' in event && event.offset === 3 ? { ...event, offset: 3, id: 'p/1/3' } : event,
        ),
      ]),
    ),
  ],
  [
    'the last messages are never delivered',
    'undelivered',
    withMembers(member('a', [...readsPartition1, assigned(100, 0), ...reading(0, first, 110)])),
  ],
  [
    'a member continues with a partition that is assigned to another one',
    'two owners',
    withMembers(
      member('a', [...readsPartition1, assigned(100, 0), ...reading(0, [0, 1, 2, 3], 110)]),
      member('b', [assigned(125, 0), ...reading(0, [4, 5], 200)]),
    ),
  ],
  [
    'a message comes again after its member gave the partition up in order',
    'repeated',
    withMembers(
      member('a', [
        ...readsPartition1,
        assigned(100, 0),
        ...reading(0, first, 110),
        { at: 150, what: 'revoked', partitions: [0] },
        { at: 160, what: 'given', partitions: [0] },
      ]),
      member('b', [assigned(170, 0), ...reading(0, [2, ...second], 200)]),
    ),
  ],
  [
    'a message comes again that a killed member had committed',
    'repeated',
    withMembers(
      member('a', [...readsPartition1, assigned(100, 0), ...reading(0, first, 110)], {
        deeds: [{ at: 150, what: 'kill' }],
      }),
      // 2 was committed at 140.
      member('b', [assigned(170, 0), ...reading(0, [1, 2, ...second], 200)]),
    ),
  ],
  [
    'a message is committed that is in process',
    'early commit',
    { ...flawless(), commits: [commit(132, [0, 3])] },
  ],
  [
    'a position of the former topic is committed in the new one',
    'former position',
    onlyFour(recreated(PER_PARTITION)),
  ],
]

describe('the checker of the chaos tests', () => {
  it('accepts a history without flaws', () => {
    const { anomalies, figures } = check(flawless())
    expect(anomalies).toEqual([])
    expect(figures).toMatchObject({
      sent: 12,
      acknowledged: 12,
      inLog: 12,
      delivered: 12,
      lost: 0,
      redelivered: 0,
      longestProduceGapMs: 10,
    })
  })

  it.each(PLANTED)('detects when %s', (_, kind, history) => {
    const kinds = new Set(check(history).anomalies.map((anomaly) => anomaly.kind))
    expect(kinds).toContain(kind)
  })

  it('reports each planted anomaly with no other kind than those that follow from it', () => {
    const consequences: Partial<Record<AnomalyKind, readonly AnomalyKind[]>> = {
      // What is not where it was acknowledged.
      reordered: ['misplaced'],
      // A reader that gets offsets out of order gets the earlier one late.
      skipped: ['repeated', 'undelivered', 'early commit'],
      altered: ['undelivered', 'early commit', 'repeated', 'skipped'],
      undelivered: ['early commit'],
      'two owners': ['early commit'],
    }
    for (const [, kind, history] of PLANTED) {
      const allowed = new Set([kind, ...(consequences[kind] ?? [])])
      const others = check(history).anomalies.filter((anomaly) => !allowed.has(anomaly.kind))
      expect(others).toEqual([])
    }
  })

  it('accepts that messages come again when the commit of the revocation has failed', () => {
    const revoked = [
      ...readsPartition1,
      assigned(100, 0),
      ...reading(0, first, 110),
      { at: 150, what: 'revoked', partitions: [0] } as const,
    ]
    const again = member('b', [assigned(170, 0), ...reading(0, ALL, 200)])
    const historyWith = (what: 'given' | 'uncommitted') => ({
      ...withMembers(member('a', [...revoked, { at: 160, what, partitions: [0] }]), again),
      commits: [],
    })
    expect(check(historyWith('uncommitted')).anomalies).toEqual([])
    expect(check(historyWith('given')).anomalies).not.toEqual([])
  })

  it('accepts what a failure of unknown outcome, a killed producer and a deletion explain', () => {
    expect(check(withSend(idOf(0, 5), failed(false))).anomalies).toEqual([])
    const { id, producer, lane, sequence, at } = flawless().sends[5]!
    const unknown = { id, producer, lane, sequence, at }
    const killed = { ...flawless(), sends: flawless().sends.with(5, unknown) }
    expect(check(killed).anomalies).toEqual([])
    expect(check(killed).figures.unknown).toBe(1)
    const deleted = withEntries((entries) =>
      entries.filter(({ partition, offset }) => partition === 1 || offset >= 2),
    )
    const starts = new Map([[0, 2]])
    const trimmed = { ...deleted, logs: [{ ...deleted.logs[0]!, starts }] }
    expect(check(trimmed).anomalies).toEqual([])
  })

  it('accepts repeats of what a killed or frozen member had not committed', () => {
    for (const what of ['kill', 'freeze'] as const) {
      const history = withMembers(
        member('a', [...readsPartition1, assigned(100, 0), ...reading(0, first, 110)], {
          deeds: [{ at: 150, what }],
        }),
        member('b', [assigned(170, 0), ...reading(0, [2, ...second], 200)]),
      )
      expect(check(history).anomalies).toEqual([])
      expect(check(history).figures.redelivered).toBe(1)
    }
  })

  it('counts a message that a frozen member received before as delivered before', () => {
    const frozen = member(
      'a',
      [...readsPartition1, assigned(100, 0), ...reading(0, first, 110), ...reading(0, [3], 900)],
      {
        deeds: [
          { at: 500, what: 'freeze' },
          { at: 890, what: 'continue' },
        ],
      },
    )
    const other = member('b', [assigned(600, 0), ...reading(0, second, 610)])
    expect(check({ ...withMembers(frozen, other), commits: [] }).anomalies).toEqual([])
  })

  it('accepts a member ordered by key that processes a later message of another key first', () => {
    const events = [assigned(100, 0, 1), ...reading(1, ALL, 111)]
    const keys = (offset: number) => ({ partition: 0, offset, id: `p/key-${offset % 2}/${offset}` })
    const byKey = [0, 2, 1, 4, 3, 5].flatMap((offset, index): ConsumerEvent[] => [
      { at: 110 + index * 10, what: 'delivered', ...keys(offset) },
      { at: 115 + index * 10, what: 'processed', ...keys(offset) },
    ])
    const history = flawless()
    const isKeyed = ({ partition }: { partition?: number }) => partition === 0
    const result = check({
      sends: history.sends.map((send) => {
        if (!isKeyed(send)) return send
        const { id } = keys(send.sequence)
        return { ...send, id, lane: id.slice(2, id.lastIndexOf('/')) }
      }),
      logs: [log(entriesOf().map((entry) => (isKeyed(entry) ? keys(entry.offset) : entry)))],
      consumers: [member('a', [...events, ...byKey], { order: 'lane' })],
      commits: [commit(400, [0, PER_PARTITION])],
    })
    expect(result.anomalies).toEqual([])
  })

  it('accepts that a member ordered by key gets handled messages again after a doubt about its membership, and only then', () => {
    const id = (offset: number) => `p/key-${offset % 2}/${offset}`
    const handled = (offsets: readonly number[], from: number) =>
      offsets.flatMap((offset, index): ConsumerEvent[] => [
        { at: from + index * 10, what: 'delivered', partition: 0, offset, id: id(offset) },
        { at: from + index * 10 + 5, what: 'processed', partition: 0, offset, id: id(offset) },
      ])
    const found = (between: readonly ConsumerEvent[]) => {
      const events = [
        assigned(100, 0),
        ...handled([0, 2, 1], 110),
        ...between,
        ...handled([0, 1, 2, 3, 4, 5], 200),
      ]
      const history = {
        ...flawless(),
        consumers: [member('a', events, { order: 'lane' })],
        logs: [
          log(Array.from({ length: 6 }, (_, offset) => ({ partition: 0, offset, id: id(offset) }))),
        ],
      }
      return check(history).anomalies.filter(({ text }) => text.startsWith('a got 0:'))
    }
    expect(found([{ at: 150, what: 'doubted' }])).toEqual([])
    expect(found([]).map(({ kind }) => kind)).toContain('repeated')
  })

  it('treats what an unclean election lost as lost, and no message as skipped', () => {
    const history = flawless()
    const entries = entriesOf().map((entry) =>
      entry.partition === 0 && entry.offset >= 3 ? { ...entry, id: `q/0/${entry.offset}` } : entry,
    )
    const others = sends('q', 200).filter(({ id }) => entries.some((entry) => entry.id === id))
    const result = check({
      sends: [...history.sends, ...others],
      logs: [log(entries)],
      consumers: [
        member('a', [
          ...readsPartition1,
          assigned(100, 0),
          ...reading(0, ALL.slice(0, 5), 110),
          // Reported before the messages that were fetched earlier are delivered.
          { at: 135, what: 'moved', partition: 0, offset: 3 },
          ...reading(0, second, 300, 'q'),
        ]),
      ],
      commits: [],
    })
    const kinds = new Set(result.anomalies.map(({ kind }) => kind))
    expect([...kinds].sort()).toEqual(['altered', 'lost', 'misplaced'])
  })

  it('follows a topic that is recreated', () => {
    expect(check(onlyFour(recreated(4))).anomalies).toEqual([])
  })
})
