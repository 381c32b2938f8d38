import { Command, InvalidArgumentError, Option } from 'commander'
import { KAFKA_VERSIONS, NEWEST_KAFKA } from '../test/support/kafka/versions.ts'
import { QUESTIONS } from './questions/index.ts'
import { CLIENTS, type Client } from './runner/clients.ts'
import type { Question } from './runner/question.ts'

export interface BenchOptions {
  readonly only?: readonly Question[]
  readonly clients?: readonly Client[]
  readonly without: readonly Client[]
  readonly once: readonly Question[]
  readonly quick: boolean
  readonly rounds?: number
  readonly brokers?: string
  readonly kafka: string
  readonly profile: boolean
  readonly out?: string
  readonly save: boolean
}

export function parseOptions(argv: readonly string[]): BenchOptions {
  return new Command('npm run bench --')
    .description('Measures samsa beside other clients of Kafka, in turns, on a real broker')
    .option('--only <questions>', 'just these, with commas between', namesOf('question', QUESTIONS))
    .option('--clients <clients>', 'just these, with commas between', namesOf('client', CLIENTS))
    .addOption(
      new Option('--without <clients>', 'all but these, with commas between')
        .argParser(namesOf('client', CLIENTS))
        .default([], 'none'),
    )
    .addOption(
      new Option('--once <questions>', 'one round of these, with commas between')
        .argParser(namesOf('question', QUESTIONS))
        .default([], 'none'),
    )
    .option('--quick', 'small and rough: to see whether something has changed a lot', false)
    .option('--rounds <count>', 'how often each client has its turn', count)
    .option('--brokers <list>', 'a cluster that runs already, as host:port with commas between')
    .addOption(
      new Option('--kafka <version>', 'the broker to start')
        .choices(KAFKA_VERSIONS)
        .default(NEWEST_KAFKA),
    )
    .option('--profile', 'leave a CPU profile of each run of a Node client with the report', false)
    .option('--out <folder>', 'where the report goes (benchmarks/results/ and the time by default)')
    .option('--no-save', 'print the tables only')
    .addHelpText('after', helpText())
    .showHelpAfterError('(--help lists the options)')
    .allowExcessArguments(false)
    .parse(argv)
    .opts<BenchOptions>()
}

interface Named {
  readonly name: string
}

function namesOf<T extends Named>(what: string, known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((name) => {
      const found = known.find((one) => one.name === name)
      if (found !== undefined) return found
      const names = known.map((one) => one.name).join(', ')
      throw new InvalidArgumentError(`There is no ${what} '${name}'. There are: ${names}.`)
    })
}

function count(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value
  throw new InvalidArgumentError('A whole number from 1 to 100 is needed.')
}

function helpText(): string {
  const questions = QUESTIONS.map(({ name, title }) => `  ${name.padEnd(14)} ${title}`)
  const clients = CLIENTS.map(({ name }) => name).join(', ')
  return `\nQuestions:\n${questions.join('\n')}\n\nClients: ${clients}\n  (npm run bench:peers installs them)`
}
