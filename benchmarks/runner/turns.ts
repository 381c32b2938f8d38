/** Asks each question: its cases one after the other, and in each the clients in turns (A B C A B C …). */
import { KAFKA_VERSIONS } from '../../test/support/kafka/versions.ts'
import type { Client } from './clients.ts'
import { describe, DriverError, measure } from './driver.ts'
import type { CaseOutcome } from './outcome.ts'
import { Progress } from './progress.ts'
import type { Case, Question, Scale } from './question.ts'
import type { Site } from './site.ts'
import type { Description, Measurement, Task } from './task.ts'

/** What of a run is not its own time: starting, connecting, warming up, making and deleting topics. */
const OVERHEAD_MS = 4_000
/** Node puts the process id there. */
const PID = '${pid}'

export interface Contender {
  readonly client: Client
  /** Or why it isn't there. */
  readonly description: Description | string
}

/** Which clients are installed, and what each can do. */
export async function findOut(
  clients: readonly Client[],
  signal: AbortSignal,
): Promise<readonly Contender[]> {
  const found: Contender[] = []
  for (const client of clients) {
    try {
      found.push({ client, description: await describe(client, signal) })
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      found.push({ client, description: error.message })
    }
  }
  return found
}

/** A case with those who are asked. */
export interface Contest {
  readonly question: Question
  readonly asked: Case
  readonly contenders: readonly Contender[]
}

export interface Asking {
  readonly scale: Scale
  /** The brokers' version, for questions that need no other. */
  readonly kafka: string
  /** The clients were named by hand: all of them are asked everything. */
  readonly isChosen: boolean
}

export function contestsOf(
  questions: readonly Question[],
  contenders: readonly Contender[],
  { scale, kafka, isChosen }: Asking,
): readonly Contest[] {
  return questions.flatMap((question) => {
    const { clients, kafka: version = kafka } = question
    const asked = contenders
      .filter(({ client }) => isChosen || clients === undefined || clients.includes(client.name))
      .map((contender) =>
        isTooOld(contender.client, version)
          ? {
              ...contender,
              description: `it works with Kafka up to ${contender.client.newestKafka}`,
            }
          : contender,
      )
    return question.cases(scale).map((one) => ({
      question,
      asked: one,
      contenders: asked.filter(({ client }) => one.clients?.includes(client.name) ?? true),
    }))
  })
}

export interface TurnOptions {
  readonly rounds: number
  readonly signal: AbortSignal
  readonly siteFor: (contest: Contest) => Promise<Site>
  /** Where clients leave CPU profiles, those that can. */
  readonly profileFolder?: string
}

/** The outcomes in the order of the contests, each as soon as it is there. */
export async function* inTurns(
  contests: readonly Contest[],
  options: TurnOptions,
): AsyncGenerator<{ readonly contest: Contest; readonly outcome: CaseOutcome }> {
  const { rounds } = options
  const kinds = contests.flatMap(({ question, asked, contenders }) =>
    contenders
      .filter((one) => wayOf(one, asked) !== undefined)
      .map((one) => kindOf(question, asked, one)),
  )
  const guessMs = (contests[0]?.asked.limitMs ?? 0) + OVERHEAD_MS
  const progress = new Progress(process.stderr, kinds, rounds, guessMs)
  for (const contest of contests) {
    yield { contest, outcome: await held(contest, options, progress) }
  }
  progress.close()
}

/** One contest, all its rounds. */
async function held(
  { question, asked, contenders, ...rest }: Contest,
  { rounds, signal, siteFor, profileFolder }: TurnOptions,
  progress: Progress,
): Promise<CaseOutcome> {
  const outcomes = contenders.map((contender) => ({
    contender,
    client: contender.client.name,
    way: wayOf(contender, asked) ?? '',
    rounds: [] as Measurement[],
    failures: typeof contender.description === 'string' ? [contender.description] : [],
  }))
  const able = outcomes.filter(({ way }) => way !== '')
  const site =
    able.length === 0 ? undefined : await siteFor({ question, asked, contenders, ...rest })
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, rounds: measured, failures } of able) {
      const kind = kindOf(question, asked, contender)
      // What fails once fails again, often only after a long wait.
      if (failures.length > 0) {
        progress.end(kind, 0)
        continue
      }
      progress.begin(kind, `round ${round} of ${rounds}`)
      try {
        const nodeOptions = profiling(contender, profileFolder, `${kind} ${round}`)
        const once = (task: Task) => measure(contender.client, task, signal, nodeOptions)
        measured.push(await site!.run(asked, once))
      } catch (error) {
        if (!(error instanceof DriverError)) throw error
        failures.push(error.message)
        progress.say(`${kind} failed: ${error.message.split('\n')[0]!}`)
      }
      progress.end(kind)
    }
  }
  return {
    case: asked,
    outcomes: outcomes.map(({ contender: _, ...outcome }) => outcome),
  }
}

/** Node's options for leaving a CPU profile, with a name that says what it is of. */
function profiling({ description }: Contender, folder: string | undefined, what: string): string[] {
  const isNode = typeof description !== 'string' && description.runtime.startsWith('Node')
  if (folder === undefined || !isNode) return []
  const name = what.replaceAll(/[^\w.]+/g, '-')
  // Several processes may share a task.
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}-${PID}.cpuprofile`]
}

function kindOf({ name }: Question, { title }: Case, { client }: Contender): string {
  return `${name}: ${title}: ${client.name}`
}

/** How the client does it, in the words of its driver; undefined where it can't. */
function wayOf({ description }: Contender, { task, mode }: Case): string | undefined {
  return typeof description === 'string' ? undefined : description.ways[`${task} ${mode}`]
}

/** Some clients don't work with the newest brokers. */
function isTooOld({ newestKafka }: Client, kafka: string): boolean {
  if (newestKafka === undefined || !KAFKA_VERSIONS.includes(kafka)) return false
  return KAFKA_VERSIONS.indexOf(kafka) > KAFKA_VERSIONS.indexOf(newestKafka)
}
