/** A place where two answers differ. */
export interface Difference {
  readonly request: string
  /** Such as `topics[0].partitions[1].errorCode`. */
  readonly path: string
  readonly real: string
  readonly embedded: string
}

/** Values that differ from cluster to cluster, by what they stand for. */
export type Names = ReadonlyMap<unknown, string>

/** Compares field by field; values that `names` knows are taken for what they stand for. */
export function differences(
  request: string,
  real: unknown,
  embedded: unknown,
  realNames: Names,
  embeddedNames: Names,
): readonly Difference[] {
  const found: Difference[] = []
  const compare = (path: string, ours: unknown, theirs: unknown): void => {
    if (Array.isArray(theirs) && Array.isArray(ours)) {
      const [ourItems, theirItems] = [inOrder(ours, embeddedNames), inOrder(theirs, realNames)]
      for (let i = 0; i < Math.max(theirItems.length, ourItems.length); i++) {
        compare(`${path}[${i}]`, ourItems[i], theirItems[i])
      }
    } else if (isStruct(theirs) && isStruct(ours)) {
      for (const name of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
        compare(path === '' ? name : `${path}.${name}`, ours[name], theirs[name])
      }
    } else {
      const shownReal = shown(theirs, realNames)
      const shownEmbedded = shown(ours, embeddedNames)
      if (shownReal === shownEmbedded) return
      found.push({ request, path, real: shownReal, embedded: shownEmbedded })
    }
  }
  compare('', embedded, real)
  return found
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

function shown(value: unknown, names: Names): string {
  const name = names.get(value)
  if (name !== undefined) return `<${name}>`
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'bigint') return `${value}n`
  if (value === undefined) return 'undefined'
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one))
}

/** By what they are about: Kafka answers in the order of its hash maps, which no client may rely on. */
function inOrder(items: readonly unknown[], names: Names): readonly unknown[] {
  const key = (item: unknown): string => {
    if (!isStruct(item)) return ''
    const { name, topic, partitionIndex, partition, index, resourceName, groupId, user } = item
    // Ids are random: each side has its own.
    const topicId = names.get(item['topicId'])
    return JSON.stringify([
      name,
      topic,
      topicId,
      resourceName,
      groupId,
      user,
      partitionIndex,
      partition,
      index,
    ])
  }
  // The sort is stable: what has no such field stays in its order.
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}
