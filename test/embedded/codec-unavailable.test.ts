import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { runCommand } from '../support/run-command.ts'
import { batchOf, produceTo, rawClientOf } from './support/requests.ts'

const NOT_AVAILABLE = 'CompressionUnavailableError COMPRESSION_UNAVAILABLE'

async function withoutZstd(hosts: string, what: 'produce' | 'read'): Promise<unknown> {
  const node = ['--jitless', '--import', 'tsx', 'test/support/hostile/without-zstd.ts']
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, [
    ...node,
    hosts,
    what,
    't',
  ])
  // Node.js 20 warns about --jitless itself.
  const problems = stderr.split('\n').filter((line) => !line.includes('flag --expose_wasm'))
  expect({ exitCode, problems }).toEqual({ exitCode: 0, problems: [''] })
  return JSON.parse(stdout.toString())
}

describe('a process that cannot load zstd', () => {
  it('fails produced messages with a specific error, and keeps running', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    expect(await withoutZstd(kafka.hosts, 'produce')).toEqual([NOT_AVAILABLE, NOT_AVAILABLE])
  })

  it('skips no batch with skipCorrupt that another process could read', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    const batch = batchOf(['a', 'b'], { compression: 'zstd' })
    expect(await produceTo(raw, 't', 0, batch)).toMatchObject({ errorCode: 0 })
    expect(await withoutZstd(kafka.hosts, 'read')).toEqual([NOT_AVAILABLE, 'position 0'])
  })
})
