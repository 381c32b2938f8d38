import {
  createClient,
  type Client,
  type Event,
  type Exception,
  type State,
} from 'node-zookeeper-client'
import { PATIENCE_MS } from '../patience.ts'

const NODE_TYPES = {
  lasting: 0,
  lastingSequential: 2,
  ephemeral: 1,
  ephemeralSequential: 3,
} as const
const SESSION_TIMEOUT_MS = 10_000

export interface SessionOptions {
  /** Default: 10,000. */
  readonly timeoutMs?: number
}

/** node-zookeeper-client with promises: a session on a ZooKeeper, and what it has been told. */
export class ZooKeeperTestSession implements Disposable {
  readonly client: Client
  /** The names of its states so far, as the client tells them. */
  readonly states: string[] = []
  /** `NODE_CREATED /path`, in the order in which they came. */
  readonly events: string[] = []
  readonly #waiting = new Set<() => void>()

  private constructor(hosts: string, timeoutMs: number) {
    this.client = createClient(hosts, { sessionTimeout: timeoutMs, spinDelay: 50 })
    this.client.on('state', (state: State) => {
      this.states.push(state.name)
      this.#changed()
    })
  }

  static async open(
    hosts: string,
    { timeoutMs = SESSION_TIMEOUT_MS }: SessionOptions = {},
  ): Promise<ZooKeeperTestSession> {
    const session = new ZooKeeperTestSession(hosts, timeoutMs)
    session.client.connect()
    await session.untilState('SYNC_CONNECTED')
    return session
  }

  create(path: string, data = '', type: keyof typeof NODE_TYPES = 'lasting'): Promise<string> {
    return answered((done) => this.client.create(path, Buffer.from(data), NODE_TYPES[type], done))
  }

  remove(path: string, version = -1): Promise<void> {
    return answered((done) => this.client.remove(path, version, (error) => done(error, undefined)))
  }

  setData(path: string, data: string): Promise<void> {
    return answered((done) =>
      this.client.setData(path, Buffer.from(data), (error) => done(error, undefined)),
    )
  }

  /** Empty where there is none. */
  getData(path: string, watch = false): Promise<string> {
    return answered((done) => {
      const onData = (error: Failure, data: Buffer | undefined) => done(error, String(data ?? ''))
      if (watch) this.client.getData(path, this.#onEvent, onData)
      else this.client.getData(path, onData)
    })
  }

  /** Sorted: servers give them in any order. */
  getChildren(path: string, watch = false): Promise<string[]> {
    return answered((done) => {
      const onChildren = (error: Failure, names: string[]) =>
        done(error, error === null ? names.sort() : [])
      if (watch) this.client.getChildren(path, this.#onEvent, onChildren)
      else this.client.getChildren(path, onChildren)
    })
  }

  exists(path: string, watch = false): Promise<boolean> {
    return answered((done) => {
      const onStat = (error: Failure, stat: unknown) =>
        done(error, stat !== null && stat !== undefined)
      if (watch) this.client.exists(path, this.#onEvent, onStat)
      else this.client.exists(path, onStat)
    })
  }

  /** Asks again after each loss of the connection. */
  async eventually<T>(ask: (session: this) => Promise<T>): Promise<T> {
    for (;;) {
      const connected = this.#times('SYNC_CONNECTED')
      try {
        return await ask(this)
      } catch (error) {
        if ((error as Error).name !== 'CONNECTION_LOSS') throw error
        if (this.client.getState().name !== 'SYNC_CONNECTED') {
          await this.untilState('SYNC_CONNECTED', connected + 1)
        }
      }
    }
  }

  /** When it has been in this state, now or earlier; `times` it has come to it. */
  async untilState(name: string, times = 1): Promise<void> {
    await this.#until(() => this.#times(name) >= times)
  }

  async untilEvents(count: number): Promise<readonly string[]> {
    await this.#until(() => this.events.length >= count)
    return this.events
  }

  [Symbol.dispose](): void {
    this.client.close()
  }

  readonly #onEvent = (event: Event): void => {
    this.events.push(`${event.getName()} ${event.getPath()}`)
    this.#changed()
  }

  #times(name: string): number {
    return this.states.filter((state) => state === name).length
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          const seen = `${this.states.join(', ')}; ${this.events.join(', ')}`
          reject(new Error(`nothing more has happened for ${PATIENCE_MS} ms; so far: ${seen}`))
        }, PATIENCE_MS)
        this.#waiting.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  #changed(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resume of waiting) resume()
  }
}

/** What the client's types say; what comes is an Error with a `name` such as NO_NODE. */
type Failure = Error | Exception | null

function answered<T>(ask: (done: (error: Failure, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => {
      if (error === null) resolve(value)
      else reject(Object.assign(new Error(String(error)), { name: error.name }))
    })
  })
}
