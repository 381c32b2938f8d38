import { createServer } from 'node:net'

// Below the range from which systems take ports for outgoing connections: a broker that is stopped
// for a while must find its port free when it comes back.
const LOWEST = 20_000
const HIGHEST = 29_999

/** A JVM found its port taken: only new ports help. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError'
}

/** Ports that were free a moment ago; callers must expect that they are taken. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1))
    if (!ports.has(port) && (await isPortFree(port))) ports.add(port)
  }
  return [...ports]
}

/** The first of `count` consecutive ports that were free a moment ago. */
export async function freePortRange(count: number): Promise<number> {
  for (;;) {
    const [first = 0] = await freePorts(1)
    if (first + count - 1 <= HIGHEST && (await takenPort(first, count)) === undefined) return first
  }
}

/** The first of `count` consecutive ports that another process has; undefined if all are free. */
export async function takenPort(first: number, count: number): Promise<number | undefined> {
  for (let port = first; port < first + count; port++) {
    if (!(await isPortFree(port))) return port
  }
  return undefined
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    )
  })
}
