import type { Consumer, ConsumerEvent, Deed, Send, SendOutcome } from '../checker/history.ts'
import type { Line } from './lines.ts'

/** The messages of a producer, with what it wrote down of each. */
export function sendsOf(
  name: string,
  lines: readonly Line[],
  lanes: 'partitions' | 'keys',
): Send[] {
  const outcomes = new Map<string, SendOutcome>()
  for (const line of lines) {
    if (line.what === 'acknowledged') {
      const { at, what, partition, offset } = line
      outcomes.set(idOf(name, line), { at, what, partition, offset })
    } else if (line.what === 'failed') {
      const { at, what, isCertain, error } = line
      outcomes.set(idOf(name, line), { at, what, isCertain, error })
    }
  }
  return lines.flatMap((line) => {
    if (line.what !== 'sent') return []
    const { at, lane, sequence } = line
    const id = idOf(name, line)
    const outcome = outcomes.get(id)
    return [
      {
        ...{ id, producer: name, lane, sequence, at },
        ...(lanes === 'partitions' ? { partition: Number(lane) } : {}),
        ...(outcome === undefined ? {} : { outcome }),
      },
    ]
  })
}

function idOf(
  name: string,
  { lane, sequence }: { readonly lane: string; readonly sequence: number },
): string {
  return `${name}/${lane}/${sequence}`
}

export function consumerOf(
  name: string,
  lines: readonly Line[],
  deeds: readonly Deed[],
  { group, order }: Pick<Consumer, 'group' | 'order'>,
): Consumer {
  const events = lines.flatMap((line): ConsumerEvent[] => {
    if (line.what === 'unblocked') return [{ at: line.at, what: 'doubted' }]
    return isOfConsumer(line) ? [line] : []
  })
  return { name, group, order, events, deeds }
}

const KINDS: readonly Line['what'][] = [
  ...(['assigned', 'revoked', 'given', 'uncommitted', 'lost', 'delivered', 'processed'] as const),
  ...(['moved', 'doubted', 'error'] as const),
]

function isOfConsumer(line: Line): line is ConsumerEvent {
  return KINDS.includes(line.what)
}
