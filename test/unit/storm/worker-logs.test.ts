/** `tail` and `remove_logs`: by Storm's logviewer, by ssh, and on the files of this machine. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import childProcess, { type SpawnOptions } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  removeLogs,
  tailLog,
  type LogSource,
  type TailOptions,
} from '../../../src/storm/deploy/worker-logs.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'

type Files = Extract<LogSource, { kind: 'files' }>

/** Not a name that resolves: nothing may connect to it. */
const ELSEWHERE = 'worker.invalid'
const TOPOLOGY = "word's-1-17"

async function tailed(
  options: Pick<TailOptions, 'source' | 'worker'> & Partial<TailOptions>,
): Promise<string[]> {
  const lines: string[] = []
  await tailLog({
    ...{ topologyId: TOPOLOGY, lines: 2, follow: false, signal: new AbortController().signal },
    onLine: (line) => lines.push(line),
    ...options,
  })
  return lines
}

describe("a log that Storm's logviewer serves", () => {
  const asked: string[] = []
  let server: Server
  let text: string
  let port: number

  beforeEach(async () => {
    asked.length = 0
    text = 'one\ntwo\nthree\n'
    server = createServer((request, response) => {
      asked.push(request.url!)
      if (text === '') response.writeHead(404)
      response.end(text === '' ? 'no such file' : text)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })

  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const viewed = () => ({
    worker: { host: '127.0.0.1', port: 6700 },
    source: { kind: 'logviewer', port } as const,
  })

  it('is downloaded by topology and port of the worker, and its last lines are shown', async () => {
    expect(await tailed(viewed())).toEqual(['two', 'three'])
    expect(asked).toEqual(['/api/v1/download?file=word%27s-1-17%2F6700%2Fworker.log'])
  })

  it('is followed until Ctrl-C: what is new is shown once, also when the log was rotated', async () => {
    const stop = new AbortController()
    const lines: string[] = []
    const following = tailed({
      ...{ ...viewed(), follow: true, signal: stop.signal },
      onLine: (line) => lines.push(line),
    })
    await until(() => lines.length === 2)
    text += 'four\nfi'
    await until(() => lines.length === 3)
    text += 've\n'
    await until(() => lines.length === 4)
    text = 'new\n'
    await until(() => lines.length === 5)
    stop.abort()
    await following
    expect(lines).toEqual(['two', 'three', 'four', 'five', 'new'])
  })

  it('is missing: the error has the address, the status and what the logviewer responded', async () => {
    text = ''
    await expect(tailed(viewed())).rejects.toMatchObject({
      code: 'NIMBUS_FAILED',
      message: expect.stringMatching(
        /^the logviewer responded to http:\/\/127\.0\.0\.1:\d+\/api\/v1\/download\?file=\S+ with status 404: no such file$/,
      ),
    })
  })

  it('cannot be reached: the error says what to do', async () => {
    server.close()
    await once(server, 'close')
    await expect(tailed(viewed())).rejects.toMatchObject({
      code: 'NIMBUS_UNREACHABLE',
      message: expect.stringMatching(
        /^cannot connect to Storm's logviewer at http:\/\/127\.0\.0\.1:\d+\/.*: .+\. Start it, or set storm_log_path/,
      ),
    })
  })
})

describe('a log on another host', () => {
  const { spawn } = childProcess
  let folder: TemporaryFolder
  let source: Files

  beforeEach(() => {
    folder = new TemporaryFolder()
    source = { kind: 'files', folder: '/var/log/storm', user: undefined, sshPort: undefined }
    // As PATH would find it: a change of process.env in Jest does not reach child processes.
    const inFolder = (command: string, args: readonly string[], options: SpawnOptions) =>
      spawn(join(folder.path, command), args, options)
    jest.spyOn(childProcess, 'spawn').mockImplementation(inFolder)
  })

  afterEach(() => {
    jest.restoreAllMocks()
    folder[Symbol.dispose]()
  })

  /** An `ssh` that notes its arguments, a line each, and then does this. */
  function fakeSsh(script: string): () => string[] {
    const file = join(folder.path, 'ssh')
    const args = join(folder.path, 'arguments')
    writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$@" > '${args}'\n${script}\n`)
    chmodSync(file, 0o755)
    return () => readFileSync(args, 'utf8').trimEnd().split('\n')
  }

  const worker = { host: ELSEWHERE, port: 6701 }
  const remote = "'/var/log/storm/workers-artifacts/word'\\''s-1-17/6701/worker.log'"

  it('is read by ssh, which may not ask for a password', async () => {
    const args = fakeSsh("printf 'one\\ntwo'")
    expect(await tailed({ worker, source })).toEqual(['one', 'two'])
    expect(args()).toEqual(['-o', 'BatchMode=yes', '--', ELSEWHERE, `tail -n 2 -- ${remote}`])
  })

  it('is read with the user and the port of the config file, and followed until Ctrl-C', async () => {
    const args = fakeSsh('echo one; exec sleep 600')
    const stop = new AbortController()
    const lines: string[] = []
    const following = tailed({
      ...{ worker, source: { ...source, user: 'storm', sshPort: 2222 }, follow: true },
      ...{ signal: stop.signal, onLine: (line: string) => lines.push(line) },
    })
    await until(() => lines.length === 1)
    stop.abort()
    await following
    expect(args()).toEqual([
      ...['-o', 'BatchMode=yes', '-p', '2222', '--', `storm@${ELSEWHERE}`],
      `tail -n 2 -F -- ${remote}`,
    ])
  })

  it('cannot be read: the error has the command and what ssh wrote', async () => {
    fakeSsh('echo "Permission denied (publickey)." >&2; exit 255')
    await expect(tailed({ worker, source })).rejects.toThrow(
      new RegExp(
        `^ssh -o BatchMode=yes -- ${ELSEWHERE} tail .*: Permission denied \\(publickey\\)`,
      ),
    )
  })

  it('is removed with all logs of the topology on that host', async () => {
    const args = fakeSsh('')
    expect(await removeLogs(source, ELSEWHERE, TOPOLOGY)).toBeUndefined()
    expect(args().at(-1)).toBe("rm -rf -- '/var/log/storm/workers-artifacts/word'\\''s-1-17'")
  })
})

describe('a log on this machine', () => {
  it('is removed with all logs of the topology, rotated ones too, and nothing else', async () => {
    using folder = new TemporaryFolder()
    const logs = join(folder.path, 'workers-artifacts')
    const removed = ['6700/worker.log', '6700/worker.log.1', '6701/worker.log.metrics.1.gz']
    const kept = [`${TOPOLOGY}/6700/worker.yaml`, 'other-2-18/6700/worker.log']
    for (const name of [...removed.map((one) => `${TOPOLOGY}/${one}`), ...kept]) {
      mkdirSync(join(logs, name, '..'), { recursive: true })
      writeFileSync(join(logs, name), '')
    }
    const source: Files = {
      ...{ kind: 'files', folder: folder.path, user: undefined, sshPort: undefined },
    }
    expect(await removeLogs(source, '127.0.0.1', TOPOLOGY)).toBe(3)
    for (const name of removed) expect(existsSync(join(logs, TOPOLOGY, name))).toBe(false)
    for (const name of kept) expect(existsSync(join(logs, name))).toBe(true)
    // Nothing has run there yet.
    expect(await removeLogs(source, '127.0.0.1', 'unknown-3-19')).toBe(0)
  })
})
