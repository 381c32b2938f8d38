import { KAFKA_VERSIONS } from '../../test/support/kafka/versions.ts'
import type { Client } from './clients.ts'
import { describe, DriverError } from './driver.ts'
import type { Case, Question, Scale } from './question.ts'
import type { Description } from './task.ts'

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

/** A case with its clients. */
export interface Contest {
  readonly question: Question
  readonly asked: Case
  readonly contenders: readonly Contender[]
  /** How often each client has its turn. */
  readonly rounds: number
}

export interface Asking {
  readonly scale: Scale
  /** Questions of one round only. */
  readonly once?: readonly Question[]
  /** The brokers' version, for questions that need no other. */
  readonly kafka: string
  /** The clients were named by hand: all of them are asked everything. */
  readonly isChosen: boolean
}

export function contestsOf(
  questions: readonly Question[],
  contenders: readonly Contender[],
  asking: Asking,
): readonly Contest[] {
  const { scale, kafka, isChosen } = asking
  return questions.flatMap((question) => {
    const { clients, kafka: version = kafka } = question
    const rounds = roundsOf(question, asking)
    const asked = contenders
      .filter(
        ({ client }) => isChosen || (clients?.includes(client.name) ?? client.isNamed !== true),
      )
      .map((contender) => forKafka(contender, version))
    return question.cases(scale).map((one) => ({
      question,
      asked: one,
      contenders: asked.filter(({ client }) => one.clients?.includes(client.name) ?? true),
      rounds,
    }))
  })
}

/** How often each client has its turn in the cases of a question. */
export function roundsOf(
  question: Question,
  { scale, once = [] }: Pick<Asking, 'scale' | 'once'>,
): number {
  return once.includes(question) ? 1 : scale.rounds
}

/** Some clients don't work with the newest brokers. */
function forKafka(contender: Contender, version: string): Contender {
  const { newestKafka } = contender.client
  if (newestKafka === undefined || !KAFKA_VERSIONS.includes(version)) return contender
  const isNewer = KAFKA_VERSIONS.indexOf(version) > KAFKA_VERSIONS.indexOf(newestKafka)
  if (!isNewer) return contender
  return { ...contender, description: `it works with Kafka up to ${newestKafka}` }
}

/** How the client does it, in the words of its driver; undefined where it can't. */
export function wayOf({ description }: Contender, { task, mode }: Case): string | undefined {
  return typeof description === 'string' ? undefined : description.ways[`${task} ${mode}`]
}

/** What is printed and reported of a contest's place among the others. */
export function titleOf({ question, asked }: Contest): string {
  return `${question.name}: ${asked.title}`
}
