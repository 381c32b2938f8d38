import type { Message } from '../../../protocol/records/message.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import type { Batch } from './batch.ts'

/** Reads the messages of a batch back from its bytes, in the rare cases that need them. */
export function messagesOf({ writer, queue }: Batch): readonly Message[] {
  const { batches, error } = readBatches(writer.finish({}), queue)
  if (error !== undefined) throw error
  return batches.flatMap((read) => read.messages())
}
