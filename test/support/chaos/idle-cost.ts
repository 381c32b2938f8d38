import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Bench } from './bench.ts'
import { runChild, type ChildReport } from './child.ts'

/** What an idle client costs, in a process of its own: see idle.ts. */
export async function idleCost(
  bench: Bench,
  warmUpMs: number,
  measureMs: number,
): Promise<ChildReport> {
  const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    const times = [warmUpMs, measureMs].map(String)
    const args = [bench.kafka.hosts, await bench.topic(), String(port), ...times]
    return await runChild('idle.ts', args, 3 * (warmUpMs + measureMs) + 20_000)
  } finally {
    echo.close()
  }
}
