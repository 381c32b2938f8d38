import { Writable } from 'node:stream'
import type { MessageGroup } from '../results/message-group.ts'
import type { ProducerCore } from '../producer-core.ts'

/**
 * A stream of messages into a producer. It takes more when the producer has room, is finished when all it was
 * given is acknowledged, and fails with the first message that does. The producer stays open.
 */
export function messageWritable(
  core: ProducerCore,
  group: MessageGroup,
  take: (message: unknown) => Promise<void> | undefined,
): Writable {
  // Failures are the stream's, which reports them itself.
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
      core.letGo()
      group.result.then(() => done(), done)
    },
  })
  group.onFailure = (error) => stream.destroy(error)
  return stream
}
