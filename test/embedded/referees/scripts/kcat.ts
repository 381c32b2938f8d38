import { runCommand } from '../../../support/run-command.ts'
import { NO_REMARKS } from '../../../support/kcat.ts'
import { type Place, type Referee } from '../support/referee.ts'
import type { KafkaVersion } from '../../../../src/embedded/index.ts'
import { isAtLeast } from '../../../../src/embedded/versions/profiles.ts'

interface Step {
  readonly about: string
  readonly args: string
  readonly input?: string
  readonly since?: KafkaVersion
}

/** Scenarios run side by side, their steps one after the other. */
type Scenario = readonly Step[]

const READ = '-C -q -e -o beginning'
const SHOW_ALL = ['-f', '%p %o [%k]=[%s] %S %K [%h] %T\n']

const lines = Array.from({ length: 50 }, (_, i) => `k${i % 7}:value ${i} ${'x'.repeat(i)}\n`)

const CODECS: readonly (readonly [string, KafkaVersion])[] = [
  ['none', '0.8.2'],
  ['gzip', '0.8.2'],
  ['snappy', '0.8.2'],
  ['lz4', '0.10'],
  ['zstd', '2.8'],
]

const codecs: readonly Scenario[] = CODECS.map(([codec, since]) => [
  {
    about: `writing ${codec}`,
    args: `-P -t kcat-${codec} -p 0 -z ${codec} -K: -X linger.ms=50`,
    input: lines.join(''),
    since,
  },
  { about: `reading ${codec}`, args: `${READ} -t kcat-${codec}`, since },
  {
    about: `reading ${codec} in small portions`,
    args: `${READ} -t kcat-${codec} -X fetch.message.max.bytes=1000 -X check.crcs=true`,
    since,
  },
])

const records: Scenario = [
  {
    about: 'headers',
    args: '-P -t kcat-records -p 0 -H a=1 -H b=two -H a=3 -k key',
    input: 'with headers\n',
    since: '0.11',
  },
  {
    about: 'a tombstone',
    args: '-P -t kcat-records -p 0 -Z -K:',
    input: 'tomb:\nother:x\n',
  },
  // Older brokers may stop reading a connection that is closed behind it.
  {
    about: 'unacknowledged',
    args: '-P -t kcat-records -p 0 -X acks=0',
    input: 'none\n',
    since: '0.10',
  },
  {
    about: 'acknowledged by the leader',
    args: '-P -t kcat-records -p 0 -X acks=1',
    input: 'one\n',
  },
  { about: 'what was written', args: `${READ} -t kcat-records` },
  { about: 'the last one', args: '-C -q -e -o -1 -t kcat-records' },
  { about: 'one from the middle', args: '-C -q -c 1 -o 1 -t kcat-records' },
  { about: 'past the end', args: '-C -q -e -o 99 -t kcat-records -X auto.offset.reset=earliest' },
  { about: 'to the end', args: '-C -e -o beginning -t kcat-records' },
  { about: 'as JSON', args: `${READ} -J -t kcat-records` },
  { about: 'the first offset', args: '-Q -t kcat-records:0:-2' },
  { about: 'the next offset', args: '-Q -t kcat-records:0:-1' },
  { about: 'the first since 1970', args: '-Q -t kcat-records:0:0', since: '0.11' },
  { about: 'the first of the future', args: '-Q -t kcat-records:0:99999999999999', since: '0.11' },
  { about: 'by time', args: '-C -q -e -o s@1 -t kcat-records', since: '0.11' },
  {
    about: 'too large',
    args: '-P -t kcat-records -p 0 -X message.max.bytes=2000000',
    input: `${'x'.repeat(1_100_000)}\n`,
  },
  {
    about: 'a partition that does not exist',
    args: '-P -t kcat-records -p 7 -X topic.message.timeout.ms=3000',
    input: 'x\n',
  },
]

const idempotent: Scenario = [
  {
    about: 'an idempotent producer',
    args: '-P -t kcat-idempotent -p 0 -X enable.idempotence=true',
    input: 'one\ntwo\n',
    since: '0.11',
  },
  { about: 'what it wrote', args: `${READ} -t kcat-idempotent`, since: '0.11' },
]

const groups: readonly Scenario[] = [
  ['range', '0.9'] as const,
  ['roundrobin', '0.9'] as const,
  ['cooperative-sticky', '2.8'] as const,
].map(([assignor, since]) => {
  const topic = `kcat-group-${assignor}`
  const member = `-G ${assignor} ${topic} -X auto.offset.reset=earliest -X partition.assignment.strategy=${assignor}`
  return [
    { about: `for ${assignor}`, args: `-P -t ${topic} -p 0`, input: 'one\n', since },
    { about: `a group with ${assignor}`, args: `-e ${member}`, since },
    { about: `more for ${assignor}`, args: `-P -t ${topic} -p 0`, input: 'two\n', since },
    { about: `the group with ${assignor} again`, args: `-q -e ${member}`, since },
  ]
})

const metadata: Scenario = [
  { about: 'a topic', args: '-L -t kcat-metadata' },
  { about: 'a topic as JSON', args: '-L -J -t kcat-metadata' },
  {
    about: 'a topic that does not exist',
    args: '-C -q -e -t kcat-nope -X allow.auto.create.topics=false',
    since: '0.11',
  },
]

const SCENARIOS: readonly Scenario[] = [...codecs, records, idempotent, ...groups, metadata]

export const KCAT: Referee = {
  name: 'kcat',
  needs: ['kcat'],
  since: '0.8.2',
  topics: {
    ...Object.fromEntries(CODECS.map(([codec]) => [`kcat-${codec}`, 1])),
    'kcat-records': 1,
    'kcat-idempotent': 1,
    'kcat-group-range': 1,
    'kcat-group-roundrobin': 1,
    'kcat-group-cooperative-sticky': 1,
    'kcat-metadata': 3,
  },
  async ask(place) {
    const answers = new Map<string, string>()
    await Promise.all(SCENARIOS.map((scenario) => play(scenario, place, answers)))
    return answers
  },
  unlike: [
    [/\(memberid [^)]+\)|\(memberid [^,]+/g, '(memberid <id>'],
    // Refused at once if kcat has the topic's metadata when it produces, else when it gets them.
    [
      /^% (ERROR: Failed to produce message \(\d+ bytes\)|Delivery failed for message): Local: Unknown partition$/gm,
      '% Local: Unknown partition',
    ],
  ],
}

async function play(scenario: Scenario, place: Place, answers: Map<string, string>): Promise<void> {
  for (const { about, args, input, since } of scenario) {
    if (since !== undefined && !isAtLeast(place.version, since)) continue
    const shown = args.startsWith(READ) && !args.includes('-J') ? SHOW_ALL : []
    const words = [...NO_REMARKS, ...brokerOf(place), ...args.split(' '), ...shown]
    const { exitCode, stdout, stderr } = await runCommand('kcat', words, {
      ...(input === undefined ? {} : { input }),
    })
    answers.set(about, `${exitCode}\n${String(stdout)}${stderr}`)
  }
}

/** Brokers before 0.10 can't be asked for their versions: librdkafka has to be told. */
function brokerOf({ hosts, version }: Place): readonly string[] {
  const fallback = { '0.8.2': '0.8.2.2', '0.9': '0.9.0.1' } as Partial<Record<KafkaVersion, string>>
  const old = fallback[version]
  return [
    '-b',
    hosts,
    ...(old === undefined
      ? []
      : ['-X', `broker.version.fallback=${old}`, '-X', 'api.version.request=false']),
  ]
}
