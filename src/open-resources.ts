import type { OpenRegister } from './async/restarts.ts'
import type { RebalanceOptions } from './balanced/options.ts'
import type { CallOptions } from './call-options.ts'
import type { TopicsConsumerOptions } from './consumer/consumer.ts'
import type { SimpleConsumerOptions } from './consumer/simple-consumer.ts'
import { ClosedError } from './errors.ts'

interface Closeable {
  close(call?: CallOptions): Promise<void>
}

interface Startable extends Closeable {
  start(call: CallOptions): Promise<unknown>
}

/** The producers and consumers of a client that are not closed yet. */
export class OpenResources {
  readonly #all = new Set<Closeable>()
  #isClosed = false

  async producer<One extends Closeable>(
    open: (register: OpenRegister) => Promise<One>,
  ): Promise<One> {
    if (this.#isClosed) throw new ClosedError('client')
    const producer: One = await open(this.#register(() => producer))
    this.#all.add(producer)
    return producer
  }

  /**
   * Starts the consumer unless `autoStart` is false. If the start fails, it closes the consumer and throws the error.
   * Throws ClosedError if the client was closed while the code of the consumer was loaded.
   */
  async consumer<One extends Startable>(
    options: Pick<
      SimpleConsumerOptions | TopicsConsumerOptions | RebalanceOptions<never>,
      'autoStart'
    >,
    call: CallOptions,
    make: (register: OpenRegister) => One,
  ): Promise<One> {
    if (this.#isClosed) throw new ClosedError('client')
    const consumer: One = make(this.#register(() => consumer))
    this.#all.add(consumer)
    try {
      if (options.autoStart !== false) await consumer.start(call)
      return consumer
    } catch (error) {
      await consumer.close().catch(() => undefined)
      throw error
    }
  }

  /** Closes all of them within the same limits, then throws the first error. */
  async close(call?: CallOptions): Promise<void> {
    this.#isClosed = true
    const closed = await Promise.allSettled([...this.#all].map((one) => one.close(call)))
    const failed = closed.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  #register(one: () => Closeable): OpenRegister {
    return {
      onOpened: () => void this.#all.add(one()),
      onClosed: () => void this.#all.delete(one()),
    }
  }
}
