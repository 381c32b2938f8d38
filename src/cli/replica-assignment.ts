import { InvalidArgumentError } from 'commander'

/** The brokers of each partition, by its number; the first one is its preferred leader. */
export type ReplicaAssignment = readonly (readonly number[])[]

/**
 * `1:2,2:3` in the form of Kafka's own tools, or pykafka's JSON object: `{"0":[1,2],"1":[2,3]}`.
 */
export function replicaAssignment(text: string): ReplicaAssignment {
  const lists = text.startsWith('{') ? ofJson(text) : text.split(',').map((one) => one.split(':'))
  if (!lists.every((brokers) => brokers.length > 0 && brokers.every(isNumber))) throw wrong()
  return lists.map((brokers) => brokers.map(Number))
}

function ofJson(text: string): readonly (readonly unknown[])[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw wrong()
  }
  // The text begins with a brace.
  const entries = Object.entries(parsed as Record<string, unknown>)
  const lists = entries.map(
    (_, partition) => entries.find(([key]) => key === String(partition))?.[1],
  )
  // Every partition from 0 on, because Kafka allows no gaps.
  if (lists.length === 0 || !lists.every((list) => Array.isArray(list))) throw wrong()
  return lists
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isInteger(value) && value >= 0
    : /^\d{1,10}$/.test(String(value))
}

function wrong(): InvalidArgumentError {
  return new InvalidArgumentError('It must be like 1:2,2:3 or {"0":[1,2],"1":[2,3]}.')
}
