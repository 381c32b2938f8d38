/**
 * Times twenty tasks with samsa, with kcat where it can do them, and with Kafka's own tools, on a
 * broker of the newest Kafka: median of some rounds, in turns, each a process from its start to its end.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtCommand } from '../../test/support/built.ts'
import { startKafka } from '../../test/support/kafka/cluster.ts'
import { kafkaTools } from '../../test/support/kafka/download.ts'
import { NEWEST_KAFKA } from '../../test/support/kafka/versions.ts'
import { TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { measureProcess, medianCell, writeRow } from './process.ts'

interface Task {
  readonly name: string
  readonly samsa: string
  readonly kcat?: string
  /** Kafka's tool: its class and arguments, without where the cluster is. */
  readonly kafka?: string
  /** A file as standard input. */
  readonly input?: 'lines'
}

const TOOLS = 'org.apache.kafka.tools'
const CONSOLE = `${TOOLS}.consumer.ConsoleConsumer`
const GROUPS = `${TOOLS}.consumer.group.ConsumerGroupCommand`

const TASKS: readonly Task[] = [
  { name: 'show the help', samsa: '--help', kcat: '-h', kafka: `${TOOLS}.TopicCommand --help` },
  { name: 'list topics', samsa: 'topics', kcat: '-L', kafka: `${TOOLS}.TopicCommand --list` },
  {
    name: 'describe a topic',
    samsa: 'topic describe task',
    kcat: '-L -t task',
    kafka: `${TOOLS}.TopicCommand --describe --topic task`,
  },
  {
    name: 'create a topic',
    samsa: 'topic create made-by-samsa-N',
    kafka: `${TOOLS}.TopicCommand --create --topic made-by-kafka-N`,
  },
  {
    name: 'send a message',
    samsa: 'produce task',
    kcat: '-P -t task',
    kafka: `${TOOLS}.ConsoleProducer --topic task`,
    input: 'lines',
  },
  {
    name: 'send 100,000 lines',
    samsa: 'produce task -l LARGE',
    kcat: '-P -t task -l LARGE',
    kafka: 'sh',
  },
  {
    name: 'read the first 10 messages',
    samsa: 'consume task --from-beginning -n 10',
    kcat: '-C -q -o beginning -c 10 -t task',
    kafka: `${CONSOLE} --topic task --from-beginning --max-messages 10`,
  },
  {
    name: 'read 100,000 messages',
    samsa: 'consume task --from-beginning -n 100000',
    kcat: '-C -q -o beginning -c 100000 -t task',
    kafka: `${CONSOLE} --topic task --from-beginning --max-messages 100000`,
  },
  {
    name: 'read the last 5 messages',
    samsa: 'consume task --tail 5 --exit',
    kcat: '-C -q -e -o -5 -t task',
  },
  {
    name: 'find messages by their text',
    samsa: 'consume task --from-beginning --grep 99999 --exit',
  },
  {
    name: 'read the last hour as JSON',
    samsa: 'consume task --from -1h -n 1000 --json',
    kcat: '-C -q -o s@START -c 1000 -J -t task',
  },
  {
    name: 'list offsets',
    samsa: 'offsets list task',
    kcat: '-Q -t task:0:-1',
    kafka: `${TOOLS}.GetOffsetShell --topic task`,
  },
  { name: 'list groups', samsa: 'groups', kafka: `${GROUPS} --list` },
  {
    name: 'show lag',
    samsa: 'lag workers --partitions',
    kafka: `${GROUPS} --describe --group workers`,
  },
  {
    name: 'plan an offset reset',
    samsa: 'offsets reset workers --to earliest --dry-run',
    kafka: `${GROUPS} --reset-offsets --group workers --topic task --to-earliest --dry-run`,
  },
  {
    name: 'show settings',
    samsa: 'configs task --all',
    kafka: 'kafka.admin.ConfigCommand --describe --entity-type topics --entity-name task --all',
  },
  {
    name: 'change a setting',
    samsa: 'config set task retention.ms=3600000 --yes',
    kafka:
      'kafka.admin.ConfigCommand --alter --entity-type topics --entity-name task --add-config retention.ms=3600000',
  },
  {
    name: 'show API versions',
    samsa: 'cluster api-versions',
    kafka: `${TOOLS}.BrokerApiVersionsCommand`,
  },
  { name: 'show disk space', samsa: 'logdirs', kafka: `${TOOLS}.LogDirsCommand --describe` },
  { name: 'check the connection', samsa: 'ping', kcat: '-L' },
]

const ROUNDS = 3

export async function compareTasks(): Promise<void> {
  using folder = new TemporaryFolder()
  await using kafka = await startKafka({ version: NEWEST_KAFKA, fastStart: false })
  const jars = join(await kafkaTools(), '*')
  const [small, large] = [join(folder.path, 'small'), join(folder.path, 'large')]
  writeFileSync(small, 'hello\n')
  const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index} ${'x'.repeat(80)}\n`)
  writeFileSync(large, lines.join(''))
  const run = async (command: string, args: readonly string[], input?: string): Promise<number> =>
    // Kafka's tools and kcat exit with 1 after their help.
    (await measureProcess(command, args, { input, exitCodes: isHelp(args) ? [0, 1] : [0] })).wallMs
  const main = builtCommand()
  const words = (line: string, round: number) =>
    line
      .replaceAll('LARGE', large)
      .replaceAll('START', String(Date.now() - 3_600_000))
      .replaceAll('-N', `-${round}`)
      .split(' ')
  const withSamsa = (line: string, round: number, input?: string) => {
    const args = words(line, round)
    const place = line === '--help' ? [] : ['--brokers', kafka.hosts]
    return run(process.execPath, [main, ...args, ...place], input)
  }
  await withSamsa('topic create task -p 1', 0)
  await withSamsa('produce task -l LARGE', 0)
  await withSamsa('consume task -g workers --from-beginning -n 10', 0)
  writeRow(['Task', 'samsa', 'kcat', 'Kafka'])
  writeRow(['---', '---:', '---:', '---:'])
  for (const task of TASKS) {
    const times: { samsa: number[]; kcat: number[]; kafka: number[] } = {
      samsa: [],
      kcat: [],
      kafka: [],
    }
    const input = task.input === undefined ? undefined : small
    for (let round = 1; round <= ROUNDS; round++) {
      times.samsa.push(await withSamsa(task.samsa, round, input))
      if (task.kcat !== undefined) {
        times.kcat.push(await run('kcat', ['-b', kafka.hosts, ...words(task.kcat, round)], input))
      }
      if (task.kafka === 'sh') {
        const tool = ['-cp', jars, `${TOOLS}.ConsoleProducer`, '--bootstrap-server', kafka.hosts]
        times.kafka.push(await run('java', [...tool, '--topic', 'task'], large))
      } else if (task.kafka !== undefined) {
        const [tool, ...args] = words(task.kafka, round)
        const place = args.includes('--help') ? [] : ['--bootstrap-server', kafka.hosts]
        times.kafka.push(await run('java', ['-cp', jars, tool!, ...place, ...args], input))
      }
    }
    writeRow([task.name, ...[times.samsa, times.kcat, times.kafka].map(medianCell)])
  }
}

function isHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h')
}
