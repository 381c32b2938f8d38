import type { Message } from '../../../protocol/records/message.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import type { Batch } from './batch.ts'

/** The messages of a batch, read back from its bytes: for the rare cases that need them. */
export function messagesOf({ writer, queue }: Batch): readonly Message[] {
  const { batches, error } = readBatches(writer.finish({}), queue)
  if (error !== undefined) throw error
  return batches.flatMap((read) => read.messages())
}
