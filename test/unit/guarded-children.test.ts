import { expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** Starts a child that holds the pipe 3 open, and reports that it guards it. */
const PROGRAM = `
import { spawn } from 'node:child_process'
import { guardChild } from './test/support/kafka/watchdog.ts'
guardChild(spawn('sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', 3] }))
process.stdout.write('guarded')
setInterval(() => undefined, 1_000)
`

it('a guarded child ends when the process that started it is killed', async () => {
  const node = ['--import', 'tsx', '--input-type=module', '--eval', PROGRAM]
  const parent = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  await once(parent.stdout!, 'data')
  const held = parent.stdio[3] as Readable
  const ends = [once(parent, 'exit'), once(held, 'end')]
  held.resume()
  parent.kill('SIGKILL')
  await Promise.all(ends)
  expect(held.readableEnded).toBe(true)
})
