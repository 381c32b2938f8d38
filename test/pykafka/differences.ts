import type { Outcome } from './scenario/index.ts'

/** Where samsa's outcome is another on purpose. */
export interface Difference {
  readonly reason: string
  readonly pykafka: Outcome
  readonly samsa: Outcome
  /** Only on these versions of Kafka. Default: on all. */
  readonly versions?: readonly string[]
}

export const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  'client/the constructor connects': [
    {
      reason: 'The constructor does no I/O: the first call connects, and throws.',
      pykafka: { throws: 'no brokers' },
      samsa: 'made',
    },
  ],
  'client/asking for a topic creates it': [
    {
      reason:
        'A name that is mistyped creates nothing: producers and topic.create() create topics.',
      pykafka: true,
      samsa: false,
    },
  ],
  'client/an internal topic by name': [
    {
      reason: 'A name asks nothing of the cluster; lists leave internal topics out.',
      pykafka: { throws: 'refused' },
      samsa: 'given',
    },
  ],
  'cluster/controller': [
    {
      reason: 'Brokers before Kafka 0.10 do not tell: undefined, where pykafka fails.',
      pykafka: { throws: 'AttributeError' },
      samsa: null,
      versions: ['0.8.2.2'],
    },
  ],
  'producer/text': [
    { reason: 'Strings are sent as UTF-8.', pykafka: { throws: 'refused' }, samsa: ['text', null] },
  ],
  'producer/lingers by default': [
    {
      reason: "lingerMs is 0: pykafka's five seconds were its most frequent surprise.",
      pykafka: true,
      samsa: false,
    },
  ],
  'producer/default partitioner': [
    {
      reason: "A key always goes to the same partition, as with Kafka's own client.",
      pykafka: 2,
      samsa: 1,
    },
  ],
  'consumer/unblock event': [
    {
      reason: 'An aborted signal rejects, as everywhere in Node.js.',
      pykafka: null,
      samsa: { throws: 'AbortError' },
    },
  ],
  'consumer/held offsets before a message': [
    {
      reason: 'A partition of which nothing was consumed is left out: -2 is no offset.',
      pykafka: { '0': -2, '1': -2 },
      samsa: {},
    },
  ],
  'consumer/fetching offsets moves it': [
    {
      reason: 'Looking at offsets moves nothing, unless resetOffsetOnFetch is given.',
      pykafka: { '0': 2 },
      samsa: {},
    },
  ],
  'consumer/commit of a partition that it does not read': [
    {
      reason: 'Offsets of any partition may be committed, for tools.',
      pykafka: { throws: 'refused' },
      samsa: 'taken',
    },
  ],
  'consumer/reset to a number': [
    {
      reason: 'Every offset in samsa is that of the next message; pykafka continues after it.',
      pykafka: 3,
      samsa: 2,
    },
  ],
  'consumer/autoOffsetReset latest': [
    {
      reason: 'pykafka ignores auto_offset_reset at the start of a consumer without a group.',
      pykafka: 0,
      samsa: 5,
    },
  ],
  'consumer/start after stop in a group': [
    {
      reason:
        'It begins at the committed offset; pykafka delivers what it had fetched before, then begins there.',
      pykafka: ['8'],
      samsa: ['4'],
    },
  ],
  'consumer/deserializer at a timeout': [
    {
      reason: 'Where no message comes there is nothing to deserialize.',
      pykafka: { throws: 'AttributeError' },
      samsa: null,
    },
  ],
  'consumer/a message larger than the fetch limit': [
    { reason: 'It comes all the same (KIP-74).', pykafka: false, samsa: true },
  ],
  'consumer/OffsetType as autoOffsetReset': [
    {
      reason: "The numbers are refused with the name that replaces them: 'latest'.",
      pykafka: 'taken',
      samsa: { throws: 'refused' },
    },
  ],
  'balanced/no group': [
    {
      reason: 'A balanced consumer without a group has no members to share with.',
      pykafka: 'taken',
      samsa: { throws: 'refused' },
    },
  ],
  'balanced/start after stop': [
    { reason: "pykafka's second start never returns.", pykafka: { hangs: true }, samsa: 5 },
  ],
  'managed/start after stop': [
    {
      reason: "pykafka's second start leaves the consumer stopped.",
      pykafka: { throws: 'stopped' },
      samsa: 5,
    },
  ],
}

/** Cases that need a newer Kafka than the oldest. */
export const SINCE: Readonly<Record<string, string>> = {
  'cluster/groups are described': '0.9',
  'cluster/api versions': '0.10',
  'broker/topics are created and deleted': '0.10.1',
  'broker/a group is listed': '0.9',
  'broker/a member joins a group, beats and leaves': '0.9',
}

/** Cases that only `npm run test:pykafka` runs: pykafka's outcome is that it hangs. */
export const SLOW: ReadonlySet<string> = new Set(['balanced/start after stop'])

/** Cases that take pykafka more than five seconds, the longest first: they begin before the others. */
export const LONG: readonly string[] = [
  'balanced/start after stop',
  'managed/start after stop',
  'balanced/no group',
  'producer/lingers by default',
  'managed/two share, and one takes over',
  'producer/delivery reports are off',
]

/** What is to be different in this case on this version of Kafka. */
export function differenceOf(name: string, version: string): Difference | undefined {
  return DIFFERENCES[name]?.find(({ versions }) => versions?.includes(version) ?? true)
}
