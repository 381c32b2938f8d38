/** Suggestions for mistyped names of topics and groups, which only the cluster can make. */
import type { Admin } from '../index.ts'
import { codeOf, ItemsReportedError, messageOf } from './failure.ts'
import type { Session } from './session.ts'
import { didYouMean } from './similar.ts'

/** A command that has failed does not wait longer than this for names. */
const TIMEOUT_MS = 1_000

/**
 * The error, with a suggestion if it reports that a topic or a group does not exist. For items that already have their
 * line on standard error, prints the suggestion. `args` are the arguments of the command.
 */
export async function withSuggestion(
  error: unknown,
  session: Session,
  args: readonly string[],
): Promise<unknown> {
  const isReported = error instanceof ItemsReportedError
  const errors = isReported ? error.errors : [error]
  const topics = errors.flatMap((one) => unknownTopicOf(one) ?? [])
  const groups = errors.some((one) => codeOf(one) === 'GROUP_ID_NOT_FOUND') ? args : []
  if (topics.length === 0 && groups.length === 0) return error
  let text: string
  try {
    const admin = await session.admin()
    text = await (topics.length > 0 ? similarTopics(admin, topics) : similarGroups(admin, groups))
  } catch {
    return error
  }
  if (text === '') return error
  if (!isReported) return new Error(`${messageOf(error)}${text}`, { cause: error })
  session.say(text.trim())
  return error
}

async function similarTopics(admin: Admin, wanted: readonly string[]): Promise<string> {
  return suggestionFor(wanted, await admin.listTopicNames({ timeoutMs: TIMEOUT_MS }))
}

async function similarGroups(admin: Admin, wanted: readonly string[]): Promise<string> {
  const { groups } = await admin.listGroups({ timeoutMs: TIMEOUT_MS })
  return suggestionFor(
    wanted,
    groups.map(({ group }) => group),
  )
}

function suggestionFor(wanted: readonly string[], known: readonly string[]): string {
  const missing = [...new Set(wanted)].filter((name) => !known.includes(name))
  return missing.map((name) => didYouMean(name, known)).join('')
}

function unknownTopicOf(error: unknown): string | undefined {
  if (codeOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') return undefined
  if (!(error instanceof Error) || !('topic' in error)) return undefined
  return typeof error.topic === 'string' ? error.topic : undefined
}
