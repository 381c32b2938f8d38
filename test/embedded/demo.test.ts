import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { waitFor } from '../support/kafka/wait.ts'
import { RunningCommand } from '../support/running-command.ts'
import { PATIENCE_MS } from '../support/patience.ts'

/** What `npm start` runs. */
function start(...args: readonly string[]): RunningCommand {
  const main = ['--import', 'tsx', 'examples/demo/main.ts']
  return new RunningCommand(process.execPath, [...main, ...args])
}

const THREE_PIDS = /A \(pid (\d+)\), B \(pid (\d+)\), C \(pid (\d+)\)/

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function showsAll(command: RunningCommand): Promise<void> {
  const { exitCode } = await command.ended
  const { stdout, stderr } = command
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(
    /Killed process [ABC] \(SIGKILL\)\. Partitions \d[\d ]* have no reader now/,
  )
  expect(stdout).toMatch(/Other processes took them over after/)
  expect(stdout).toMatch(
    /Process D \(pid \d+\) joins\.[^]*It owns its share of the partitions after/,
  )
  // One line each second: the owners of the partitions, rates, lag.
  expect(stdout).toMatch(/ s {2}sent [\d,]+ [\d,]+\/s {2}lag [\d,]+ {2}A .*D \[\d+ \d+ \d+ \d+\]/)
  expect(stdout).not.toContain('\x1b')
  const digests = [...stdout.matchAll(/SHA-256 of all messages \w+ +([0-9a-f]{64})/g)]
  expect(digests).toHaveLength(2)
  expect(digests[0]![1]).toBe(digests[1]![1])
  const [, read] =
    /Nothing was lost: all ([\d,]{5,}) messages were read, byte for byte/.exec(stdout) ?? []
  expect(read).toBeDefined()
  // The only number of lines that it states is that of those that it has sent.
  expect([...stdout.matchAll(/([\d,]+) lines/g)].map(([, lines]) => lines)).toEqual([read])
}

describe('npm start', () => {
  it('kills a process, starts another, loses nothing, and exits by itself', async () => {
    await using command = start()
    await showsAll(command)
  })

  it('does the same on a running cluster, which coordinates the group', async () => {
    await using kafka = await EmbeddedCluster.start({ brokers: 3 })
    await using command = start('--brokers', kafka.hosts)
    await showsAll(command)
  })

  it('exits with all its processes when it is interrupted', async () => {
    await using command = start()
    const [, ...pids] = await command.printed(THREE_PIDS)
    await command.printed(/B \[\d/)
    expect(pids.map(Number).map(isAlive)).toEqual([true, true, true])
    command.kill('SIGINT')
    expect((await command.ended).exitCode).toBe(130)
    expect(command.stderr).toContain('Interrupted')
    expect(pids.map(Number).map(isAlive)).toEqual([false, false, false])
  })

  it('leaves no process behind when it is killed itself', async () => {
    await using command = start()
    const [, ...pids] = await command.printed(THREE_PIDS)
    await command.printed(/B \[\d/)
    command.kill('SIGKILL')
    await command.ended
    await waitFor(() => (pids.map(Number).some(isAlive) ? undefined : true), {
      timeoutMs: PATIENCE_MS,
      onTimeout: () => new Error(`Of ${pids.join(', ')} some are still there`),
    })
  })

  it('reports why it cannot start', async () => {
    await using command = start('--brokers', '127.0.0.1:1')
    expect((await command.ended).exitCode).toBe(1)
    expect(command.stderr).toContain('127.0.0.1:1')
  })
})
