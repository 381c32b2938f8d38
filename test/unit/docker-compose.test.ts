import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

// Found from here, so that it does not matter where the test is started from.
const file = join(__dirname, '..', '..', 'docker-compose.yml')

/** The program of its own, or the plugin of Docker: whichever there is. */
function findCompose(): string[] | undefined {
  const ways = [['docker-compose'], ['docker', 'compose']]
  return ways.find(([command, ...rest]) => {
    return spawnSync(command!, [...rest, 'version'], { stdio: 'ignore' }).status === 0
  })
}

describe('docker-compose.yml', () => {
  it('is understood by docker-compose', () => {
    const compose = findCompose()
    if (compose === undefined) {
      if (process.env['CI'])
        throw new Error('docker-compose is missing: docker-compose.yml unchecked')
      console.warn('NOT RUN: docker-compose is missing, so docker-compose.yml was not checked')
      return
    }
    const [command, ...rest] = compose
    const { status, stderr } = spawnSync(command!, [...rest, '-f', file, 'config', '-q'], {
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
