import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { nodeForClients } from './clients.ts'
import type { Place } from './place.ts'

/** Starts the broker that only acknowledges. */
export async function startNullBroker(signal: AbortSignal): Promise<Place> {
  const file = resolve('benchmarks/runner/null-broker.ts')
  // tsx is for a Node.js that doesn't run TypeScript by itself.
  const options = nodeForClients() === process.execPath ? ['--import', 'tsx'] : []
  const child = spawn(nodeForClients(), [...options, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const [output] = (await Promise.race([
    once(child.stdout, 'data', { signal }),
    ended.then(() => {
      throw new Error('The null broker ended at once')
    }),
  ])) as [Buffer]
  return {
    hosts: `127.0.0.1:${Number(output.toString())}`,
    version: 'null broker',
    isNull: true,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}
