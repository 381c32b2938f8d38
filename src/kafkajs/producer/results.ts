import type { ProduceManyResult } from '../../index.ts'
import type { RecordMetadata } from '../types/producer.ts'

type Range = ProduceManyResult['ranges'][number]

/** One entry for each partition, with the offset of its first message, in the order of `topics` and by partition. */
export function recordMetadata(
  { ranges }: ProduceManyResult,
  topics: readonly string[],
): RecordMetadata[] {
  const first = new Map<string, Range>()
  for (const range of ranges) {
    const name = `${range.topic}-${range.partition}`
    const known = first.get(name)
    if (known === undefined || range.baseOffset < known.baseOffset) first.set(name, range)
  }
  return [...first.values()]
    .sort((a, b) => topics.indexOf(a.topic) - topics.indexOf(b.topic) || a.partition - b.partition)
    .map(({ topic, partition, baseOffset, appendTime, logStartOffset }) => ({
      topicName: topic,
      partition,
      errorCode: 0,
      baseOffset: String(baseOffset),
      logAppendTime: String(appendTime ?? -1),
      ...(logStartOffset === undefined ? {} : { logStartOffset: String(logStartOffset) }),
    }))
}
