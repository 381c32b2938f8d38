import { Command, InvalidArgumentError, Option } from 'commander'
import { VERSION } from '../version.ts'
import { KAFKA_VERSIONS } from '../embedded/index.ts'
import { brokerCommand, topicSpec } from './broker.ts'
import { consumeCommand } from './consume.ts'
import { inOneLine } from './failure.ts'
import { produceCommand } from './produce.ts'

const PRODUCE_EXAMPLES = `
Examples:
  $ cat access.log | samsa produce page-views
  $ printf 'user-1:signed in\\n' | samsa produce -K : events
  $ samsa produce --compression zstd --brokers kafka1:9092,kafka2:9092 lines < lines.txt`

const CONSUME_EXAMPLES = `
Fields of a format:
  %t topic       %p partition    %o offset    %T timestamp    %h headers as key=value,key=value
  %k key         %K its length   %s value     %S its length   %R the same as 4 bytes, big-endian
  %% percent     \\n \\t \\r \\\\ \\0 and \\xNN: a byte      Lengths are -1 for null.

Examples:
  $ samsa consume page-views
  $ samsa consume --from-beginning --exit page-views > page-views.txt
  $ samsa consume --from-beginning -n 10 -f '%p %o %k: %s\\n' events`

const BROKER_EXAMPLES = `
For development and tests. Without --data, everything is kept in memory and lost when the command exits.

Examples:
  $ samsa broker
  $ samsa broker --port 0 --topic page-views:6 --topic events
  $ samsa broker --brokers 3 --data ./kafka-data
  $ samsa broker --zookeeper --version 0.8.2`

/** The command line; `parseAsync` runs it. */
export function program(): Command {
  const samsa = new Command('samsa')
    .description(
      'Produce to and consume from Apache Kafka, and run embedded brokers for development.',
    )
    .version(VERSION)
    // What comes behind a command is the command's: `samsa broker --version 2.8`.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nSee also: samsa produce --help, samsa consume --help, samsa broker --help',
    )
  samsa
    .command('produce')
    .description('send each line of standard input as a message')
    .argument(
      '<topic>',
      'topic to write to; brokers with auto-creation enabled create it if it is missing',
    )
    .addOption(brokersOption())
    .option(
      '-K, --key-separator <sep>',
      'key and value are separated by the first SEP of a line',
      filled,
    )
    .addOption(
      new Option('--compression <codec>', 'compression codec for batches')
        .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
        .default('none'),
    )
    .addOption(
      new Option(
        '--acks <acks>',
        'acknowledgements required: 0, 1 (leader) or all (in-sync replicas)',
      )
        .argParser(acks)
        .default(-1, 'all'),
    )
    .option('--partition <number>', 'write every message to this partition', wholeNumber)
    .option('--max-message-bytes <bytes>', 'maximum length of a line', positive, 1_000_000)
    .addHelpText('after', PRODUCE_EXAMPLES)
    .action(produceCommand)
  samsa
    .command('consume')
    .description('print the messages of a topic, one value per line')
    .argument('<topic>', 'topic to read')
    .addOption(brokersOption())
    .option('--from-beginning', 'start at the oldest message instead of the end')
    .option('--exit', 'exit at the offsets that were the end when the command started')
    .option('-f, --format <format>', 'output format of a message, as in kcat; see below')
    .option('-n, --count <count>', 'exit after this number of messages', positive)
    .option('--partition <number>', 'read only this partition', wholeNumber)
    .option('--raw', 'do not escape control characters on a terminal')
    .addHelpText('after', CONSUME_EXAMPLES)
    .action(consumeCommand)
  samsa
    .command('broker')
    .description('run a Kafka cluster in this process until Ctrl-C')
    .option(
      '--port <number>',
      'port of the first broker; others use the following ports; 0: any free port',
      port,
      9092,
    )
    .option('--brokers <count>', 'number of brokers', positive, 1)
    .addOption(
      new Option(
        '--version <kafka>',
        'Kafka version to behave like (default: 4.4; with --zookeeper: 3.9)',
      ).choices(KAFKA_VERSIONS),
    )
    .addOption(
      new Option('--topic <name[:partitions]>', 'topic to create at the start; can be repeated')
        .argParser(topicSpec)
        .default([], 'none'),
    )
    .option(
      '--zookeeper [port]',
      'also run a ZooKeeper and register the brokers in it (default port: 2181)',
      port,
    )
    .option(
      '--data <folder>',
      'folder for topics, records and committed offsets (default: memory only)',
      filled,
    )
    .addHelpText('after', BROKER_EXAMPLES)
    .action(brokerCommand)
  for (const command of [samsa, ...samsa.commands]) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(`samsa: ${inOneLine(text)}\n`),
    })
  }
  return samsa
}

function brokersOption(): Option {
  return new Option('--brokers <list>', 'bootstrap brokers as host:port, separated by commas')
    .env('SAMSA_BROKERS')
    .default('127.0.0.1:9092')
}

function acks(text: string): -1 | 0 | 1 {
  if (text === 'all' || text === '-1') return -1
  if (text === '0' || text === '1') return text === '0' ? 0 : 1
  throw new InvalidArgumentError('It must be 0, 1 or all.')
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

function port(text: string): number {
  const value = wholeNumber(text)
  if (value > 65_535) throw new InvalidArgumentError('It must be from 0 to 65535.')
  return value
}

function positive(text: string): number {
  const value = wholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.')
  return value
}

function filled(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}
