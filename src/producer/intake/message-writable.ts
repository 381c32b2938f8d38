import { Writable } from 'node:stream'
import type { MessageGroup } from '../results/message-group.ts'
import type { ProducerCore } from '../producer-core.ts'

/**
 * A stream that writes messages to a producer. It accepts more when the producer has room, finishes when all its
 * messages are acknowledged, and fails with the first message that fails. The producer stays open.
 */
export function messageWritable(
  core: ProducerCore,
  group: MessageGroup,
  take: (message: unknown) => Promise<void> | undefined,
): Writable {
  // The stream reports its failures itself.
  group.markHandled()
  const stream = new Writable({
    objectMode: true,
    write(message: unknown, _encoding, done) {
      const waiting = take(message)
      if (waiting === undefined && core.hasRoom) {
        done()
        return
      }
      Promise.resolve(waiting)
        .then(() => core.ready())
        .then(() => done(), done)
    },
    final(done) {
      group.complete()
      core.flushLingering()
      group.result.then(() => done(), done)
    },
  })
  group.onFailure = (error) => stream.destroy(error)
  return stream
}
