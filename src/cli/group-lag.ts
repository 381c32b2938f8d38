import type { Admin, GroupLag } from '../index.ts'
import { isPattern, matcherOf } from './names.ts'
import type { Session } from './session.ts'

/** The part of the lag that a command shows. */
export interface WantedLag {
  readonly topic?: readonly string[]
  readonly onlyLagging?: boolean
  readonly readCommitted?: boolean
}

/** Returns the lag of the selected groups in the selected topics. */
export async function measure(
  admin: Admin,
  session: Session,
  patterns: readonly string[],
  { topic, onlyLagging, readCommitted = false }: WantedLag,
): Promise<readonly GroupLag[]> {
  const names = await groupsOf(admin, session, patterns)
  const all = await admin.lag(names, { ...session.call, isReadCommitted: readCommitted })
  const isWanted = matcherOf(topic ?? [])
  const groups = topic === undefined ? all : all.map((group) => onlyTopics(group, isWanted))
  return onlyLagging === true ? groups.filter(({ lag }) => lag !== 0) : groups
}

async function groupsOf(
  admin: Admin,
  session: Session,
  patterns: readonly string[],
): Promise<readonly string[]> {
  if (patterns.length > 0 && !patterns.some(isPattern)) return [...new Set(patterns)]
  const { groups, incomplete } = await admin.listGroups(session.call)
  session.checkComplete(incomplete)
  const isWanted = matcherOf(patterns)
  return groups.map(({ group }) => group).filter(isWanted)
}

function onlyTopics(group: GroupLag, isWanted: (topic: string) => boolean): GroupLag {
  const partitions = group.partitions.filter(({ topic }) => isWanted(topic))
  const isKnown = group.error === undefined && partitions.every(({ lag }) => lag !== undefined)
  const lag = partitions.reduce((sum, one) => sum + (one.lag ?? 0), 0)
  const { type, state, error } = group
  return {
    group: group.group,
    ...(type === undefined ? {} : { type }),
    state,
    ...(isKnown ? { lag } : {}),
    partitions,
    ...(error === undefined ? {} : { error }),
  }
}
