import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A port of 127.0.0.1, or a Unix socket: those reach from one network namespace into another. */
export type Place = number | string

export interface Route {
  readonly listen: Place
  readonly target: Place
}

/** What becomes of connections, those that are open among them. */
export type GateMode =
  | { readonly what: 'pass' }
  /** Nothing comes through, and connections stay open. */
  | { readonly what: 'swallow' }
  | { readonly what: 'refuse' }
  /** Connections are accepted and closed at once. */
  | { readonly what: 'close' }
  /** Each chunk comes this much later. */
  | { readonly what: 'delay'; readonly ms: number }
  /** Connections end after a time between these. */
  | { readonly what: 'short-lived'; readonly fromMs: number; readonly toMs: number }
  /** New connections lead to another place. */
  | { readonly what: 'divert'; readonly target: Place }

/** How often each mode has taken effect: on connections, or on chunks. */
export type GateCounts = Readonly<Record<GateMode['what'], number>>

/** Doors between clients and brokers, one a broker; what passes is not looked into. */
export class Gate implements AsyncDisposable {
  readonly counts: Record<GateMode['what'], number> = {
    ...{ pass: 0, swallow: 0, refuse: 0, close: 0, delay: 0, 'short-lived': 0, divert: 0 },
  }
  readonly #doors: readonly Door[]

  private constructor(routes: readonly Route[], random: () => number) {
    this.#doors = routes.map((route) => new Door(route, random, this.counts))
  }

  static async start(routes: readonly Route[], random: () => number = Math.random): Promise<Gate> {
    const gate = new Gate(routes, random)
    for (const door of gate.#doors) await door.listen()
    return gate
  }

  /** From now on, at all doors or at those that listen here. */
  async set(mode: GateMode, listen?: Place): Promise<void> {
    const doors = this.#doors.filter(({ route }) => listen === undefined || route.listen === listen)
    for (const door of doors) await door.set(mode)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const door of this.#doors) await door.close()
  }
}

class Door {
  readonly route: Route
  readonly #random: () => number
  readonly #counts: Record<GateMode['what'], number>
  readonly #open = new Set<Socket>()
  #mode: GateMode = { what: 'pass' }
  #server: Server | undefined

  constructor(route: Route, random: () => number, counts: Record<GateMode['what'], number>) {
    this.route = route
    this.#random = random
    this.#counts = counts
  }

  async listen(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
    const { listen } = this.route
    if (typeof listen === 'number') server.listen(listen, '127.0.0.1')
    else server.listen(listen)
    await once(server, 'listening')
    this.#server = server
  }

  async set(mode: GateMode): Promise<void> {
    const { what } = this.#mode
    this.#mode = mode
    // Of what was swallowed, bytes are missing.
    if (what === 'swallow') for (const socket of this.#open) socket.destroy()
    if (mode.what === 'refuse') {
      this.#counts.refuse += this.#open.size
      await this.close()
      return
    }
    const isBroken = mode.what === 'close' || mode.what === 'divert' || mode.what === 'short-lived'
    if (isBroken) for (const socket of this.#open) socket.destroy()
    await this.listen()
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#open) socket.destroy()
    if (server === undefined) return
    await new Promise((resolve) => server.close(resolve))
  }

  #serve(client: Socket): void {
    const mode = this.#mode
    this.#counts[mode.what]++
    client.on('error', () => undefined)
    if (mode.what === 'close') {
      client.destroy()
      return
    }
    this.#open.add(client)
    client.on('close', () => this.#open.delete(client))
    const place = mode.what === 'divert' ? mode.target : this.route.target
    const broker =
      typeof place === 'number'
        ? connect({ port: place, host: '127.0.0.1', noDelay: true })
        : connect(place)
    broker.on('error', () => client.destroy())
    broker.on('close', () => client.destroySoon())
    client.on('close', () => broker.destroy())
    this.#pass(client, broker)
    this.#pass(broker, client)
    if (mode.what === 'short-lived') {
      const { fromMs, toMs } = mode
      const timer = setTimeout(() => client.destroy(), fromMs + (toMs - fromMs) * this.#random())
      client.on('close', () => clearTimeout(timer))
    }
  }

  /** Chunks keep their order when the mode changes. */
  #pass(from: Socket, to: Socket): void {
    const waiting: { readonly chunk: Buffer; readonly dueAt: number }[] = []
    let timer: NodeJS.Timeout | undefined
    const write = (chunk: Buffer): void => {
      if (to.destroyed || to.write(chunk)) return
      from.pause()
      to.once('drain', () => from.resume())
    }
    const pass = (): void => {
      timer = undefined
      while (waiting.length > 0 && waiting[0]!.dueAt <= performance.now()) {
        write(waiting.shift()!.chunk)
      }
      const [next] = waiting
      if (next !== undefined) timer = setTimeout(pass, next.dueAt - performance.now())
    }
    from.on('data', (chunk: Buffer) => {
      const mode = this.#mode
      if (mode.what === 'swallow') {
        this.#counts.swallow++
        return
      }
      const delayMs = mode.what === 'delay' ? mode.ms : 0
      if (delayMs > 0) this.#counts.delay++
      if (delayMs === 0 && waiting.length === 0) {
        write(chunk)
        return
      }
      waiting.push({ chunk, dueAt: performance.now() + delayMs })
      timer ??= setTimeout(pass, delayMs)
    })
    from.on('close', () => clearTimeout(timer))
  }
}
