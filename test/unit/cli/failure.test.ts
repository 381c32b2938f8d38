import { afterEach, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { inOneLine, reportFailuresOf } from '../../../src/cli/failure.ts'
import { until } from '../../support/until.ts'

const before = process.exitCode
afterEach(() => {
  process.exitCode = before
})

describe('a report on standard error', () => {
  it('is one line without control characters', () => {
    expect(inOneLine('error: no topic\n\x1b[2J\x07')).toBe('no topic \\x1b[2J\\x07')
  })
})

describe('a reader that closes the output', () => {
  it('does not end the command with a stack trace', async () => {
    const output = new PassThrough()
    reportFailuresOf(output)
    // Without a listener Node throws this.
    output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await until(() => output.closed)
    expect(process.exitCode).toBe(before)
  })
})

describe('samsa --help', () => {
  it('exits without an error when its reader has closed the output before it prints', async () => {
    const command = ['--import', 'tsx', 'src/cli/main.ts', '--help']
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [exitCode] = (await once(child, 'close')) as [number | null]
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })
})
