import { type Referee } from '../support/referee.ts'
import type { KafkaVersion } from '../../../../src/embedded/index.ts'
import { isAtLeast } from '../../../../src/embedded/versions/profiles.ts'
import { runWithKafka } from './java.ts'

interface Step {
  readonly about: string
  readonly tool: keyof typeof TOOLS
  readonly args: string
  readonly input?: string
  readonly since?: KafkaVersion
}

const TOOLS = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
  consoleProducer: 'org.apache.kafka.tools.ConsoleProducer',
  consoleConsumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  producerPerformance: 'org.apache.kafka.tools.ProducerPerformance',
  consumerPerformance: 'org.apache.kafka.tools.ConsumerPerformance',
  cluster: 'org.apache.kafka.tools.ClusterTool',
} as const

// prettier-ignore
const STEPS: readonly Step[] = [
  { about: 'creating a topic', tool: 'topics', args: '--create --topic tools --partitions 3 --replication-factor 1 --config retention.ms=3600000' },
  { about: 'creating it again', tool: 'topics', args: '--create --topic tools' },
  { about: 'creating it if necessary', tool: 'topics', args: '--create --topic tools --if-not-exists' },
  { about: 'creating another', tool: 'topics', args: '--create --topic tools-other' },
  { about: 'creating with replicas by hand', tool: 'topics', args: '--create --topic tools-by-hand --replica-assignment 1,1' },
  { about: 'creating with replicas that do not exist', tool: 'topics', args: '--create --topic tools-nowhere --replica-assignment 7', since: '4.4' },
  { about: 'creating with a bad config', tool: 'topics', args: '--create --topic tools-bad --config nope=1' },
  { about: 'creating with too many replicas', tool: 'topics', args: '--create --topic tools-bad --replication-factor 5' },
  { about: 'listing topics', tool: 'topics', args: '--list --exclude-internal --topic tools.*' },
  { about: 'describing a topic', tool: 'topics', args: '--describe --topic tools' },
  { about: 'describing topics with configs of their own', tool: 'topics', args: '--describe --topics-with-overrides --topic tools.*' },
  { about: 'describing topics with too few replicas', tool: 'topics', args: '--describe --under-replicated-partitions' },
  { about: 'describing no topic', tool: 'topics', args: '--describe --topic tools-nope' },
  { about: 'more partitions', tool: 'topics', args: '--alter --topic tools-other --partitions 4' },
  { about: 'fewer partitions', tool: 'topics', args: '--alter --topic tools-other --partitions 2' },
  { about: 'partitions of no topic', tool: 'topics', args: '--alter --topic tools-nope --partitions 2' },

  { about: 'setting configs', tool: 'configs', args: '--alter --entity-type topics --entity-name tools --add-config cleanup.policy=[compact,delete],max.message.bytes=2000' },
  { about: 'describing configs', tool: 'configs', args: '--describe --entity-type topics --entity-name tools' },
  { about: 'describing all configs', tool: 'configs', args: '--describe --entity-type topics --entity-name tools --all', since: '4.4' },
  { about: 'deleting configs', tool: 'configs', args: '--alter --entity-type topics --entity-name tools --delete-config cleanup.policy,max.message.bytes' },
  { about: 'setting a config that there is not', tool: 'configs', args: '--alter --entity-type topics --entity-name tools --add-config nope=1' },
  { about: 'setting a config to what it cannot be', tool: 'configs', args: '--alter --entity-type topics --entity-name tools --add-config retention.ms=x' },
  { about: 'describing configs of no topic', tool: 'configs', args: '--describe --entity-type topics --entity-name tools-nope' },
  { about: 'describing configs of a broker', tool: 'configs', args: '--describe --entity-type brokers --entity-name 1' },

  { about: 'writing with keys', tool: 'consoleProducer', args: '--topic tools --reader-property parse.key=true --reader-property key.separator=:', input: 'k1:one\nk2:two\nk1:three\n' },
  { about: 'writing with headers', tool: 'consoleProducer', args: '--topic tools --compression-codec lz4 --reader-property parse.key=true --reader-property parse.headers=true', input: 'a:1,b:2\tk3\tfour\n' },
  { about: 'reading', tool: 'consoleConsumer', args: '--topic tools --from-beginning --max-messages 4 --group tools --formatter-property print.key=true --formatter-property print.offset=true --formatter-property print.partition=true --formatter-property print.headers=true' },
  { about: 'continuing to read', tool: 'consoleConsumer', args: '--topic tools --timeout-ms 1000 --group tools' },

  { about: 'last offsets', tool: 'offsets', args: '--topic tools' },
  { about: 'first offsets', tool: 'offsets', args: '--topic tools --time earliest' },
  { about: 'offsets of the largest time', tool: 'offsets', args: '--topic tools --time max-timestamp', since: '3.9' },
  { about: 'offsets since 1970', tool: 'offsets', args: '--topic tools --time 1' },
  { about: 'first offsets on the broker', tool: 'offsets', args: '--topic tools --time -4', since: '3.9' },
  { about: 'offsets of some partitions', tool: 'offsets', args: '--topic-partitions tools:0-2' },

  { about: 'listing groups', tool: 'groups', args: '--list' },
  { about: 'listing groups and their states', tool: 'groups', args: '--list --state' },
  { about: 'listing groups and their types', tool: 'groups', args: '--list --type', since: '4.4' },
  { about: 'describing a group', tool: 'groups', args: '--describe --group tools' },
  { about: 'describing its state', tool: 'groups', args: '--describe --group tools --state' },
  { about: 'describing its members', tool: 'groups', args: '--describe --group tools --members --verbose' },
  { about: 'describing no group', tool: 'groups', args: '--describe --group tools-nope' },
  { about: 'back to the start', tool: 'groups', args: '--reset-offsets --group tools --topic tools --to-earliest --execute' },
  { about: 'one on', tool: 'groups', args: '--reset-offsets --group tools --topic tools --shift-by 1 --execute' },
  { about: 'to a time', tool: 'groups', args: '--reset-offsets --group tools --topic tools --to-datetime 2020-01-01T00:00:00.000 --execute' },
  { about: 'to an offset', tool: 'groups', args: '--reset-offsets --group tools --topic tools:0 --to-offset 1 --execute' },
  { about: 'to the end, only said', tool: 'groups', args: '--reset-offsets --group tools --all-topics --to-latest --dry-run' },
  { about: 'offsets of a new group', tool: 'groups', args: '--reset-offsets --group tools-new --topic tools --to-latest --execute' },
  { about: 'offsets to be stored in a file', tool: 'groups', args: '--reset-offsets --group tools --all-topics --to-current --export --dry-run' },
  { about: 'deleting offsets', tool: 'groups', args: '--delete-offsets --group tools --topic tools' },
  { about: 'describing all groups', tool: 'groups', args: '--describe --all-groups' },
  { about: 'deleting groups', tool: 'groups', args: '--delete --group tools --group tools-new --group tools-nope' },
  { about: 'groups that are left', tool: 'groups', args: '--list' },

  { about: 'deleting records', tool: 'deleteRecords', args: '--offset-json-file FILE', input: '{"partitions":[{"topic":"tools","partition":0,"offset":1}],"version":1}' },
  { about: 'deleting records to come', tool: 'deleteRecords', args: '--offset-json-file FILE', input: '{"partitions":[{"topic":"tools","partition":1,"offset":99}],"version":1}' },
  { about: 'first offsets after that', tool: 'offsets', args: '--topic tools --time earliest' },

  { about: "a producer's performance", tool: 'producerPerformance', args: '--topic tools-fast --num-records 2000 --record-size 100 --throughput -1 --command-property acks=all' },
  { about: "a consumer's performance", tool: 'consumerPerformance', args: '--topic tools-fast --num-records 2000 --timeout 10000' },
  { about: 'what was written fast', tool: 'offsets', args: '--topic tools-fast' },

  { about: 'deleting a topic', tool: 'topics', args: '--delete --topic tools' },
  { about: 'deleting it again', tool: 'topics', args: '--delete --topic tools' },
  { about: 'topics that are left', tool: 'topics', args: '--list --exclude-internal --topic tools.*' },
  { about: "the cluster's id", tool: 'cluster', args: 'cluster-id' },
]

export const JAVA_TOOLS: Referee = {
  name: "Kafka's own command line tools",
  needs: ['java'],
  since: '2.8',
  async ask(place) {
    const steps = STEPS.filter(
      ({ since }) => since === undefined || isAtLeast(place.version, since),
    )
    const orders = steps.map(({ tool, args, input = '' }) =>
      [
        TOOLS[tool],
        Buffer.from(input).toString('base64'),
        ...args.split(' '),
        '--bootstrap-server',
        place.hosts,
      ].join('\t'),
    )
    const lines = (await runWithKafka('RunTools.java', [], `${orders.join('\n')}\n`)).split('\n')
    return new Map(steps.map(({ about }, index) => [about, said(lines[index])]))
  },
  onPurpose: [
    {
      answer:
        /^(creating with too many replicas|fewer partitions|setting a config to what it cannot be)$/,
      why: "controllers in ZooKeeper's time say it in other words",
      before: '4.4',
    },
  ],
  unlike: [
    [/TopicId: \S+/g, 'TopicId: <id>'],
    [/Cluster ID: \S+/g, 'Cluster ID: <id>'],
    [/perf-consumer-\d+/g, 'perf-consumer-<n>'],
    [/^(2000 records sent), .*$/m, '$1, <figures>'],
    [/^[-\d]+ [\d:]+, [-\d]+ [\d:]+, ([\d.]+), [\d.]+, (\d+), .*$/m, '<times>, $1 MB, $2 records'],
  ],
}

function said(line: string | undefined): string {
  const [code, text] = (line ?? '').split('\t')
  return `${code}\n${Buffer.from(text ?? '', 'base64').toString()}`
}
