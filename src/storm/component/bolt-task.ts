import {
  isCommand,
  isHeartbeat,
  type SpoutCommand,
  type TupleMessage,
} from '../multilang/messages.ts'
import { RECEIVE, type Bolt } from './bolt.ts'
import type { Place } from './host.ts'
import { Task } from './task.ts'
import { Tuple } from './tuple.ts'

/** Drives a bolt. */
export class BoltTask extends Task<Bolt> {
  readonly #fields: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

  constructor(bolt: Bolt, place: Place) {
    super(bolt, place)
    this.#fields = place.context['source->stream->fields'] ?? {}
  }

  protected take(message: TupleMessage | SpoutCommand): void {
    if (isCommand(message)) {
      this.place.logger.error(`Storm sent the command ${message.command} to a bolt`)
    } else if (isHeartbeat(message)) {
      this.place.send({ command: 'sync' })
    } else {
      const tuple = this.#tupleOf(message)
      this.queue.push(() =>
        this.guarded(`tuple ${tuple.id} of ${tuple.component}:${tuple.stream}`, () =>
          this.component[RECEIVE](tuple),
        ),
      )
    }
  }

  #tupleOf({ id, comp, stream, task, tuple }: TupleMessage): Tuple {
    const source = comp ?? ''
    return new Tuple(id ?? '', source, stream, task, tuple, this.#fields[source]?.[stream])
  }
}
