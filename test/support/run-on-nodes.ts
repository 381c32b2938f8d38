/**
 * What `npm run test:nodes` runs: the unit tests, and the built package by `import` and by `require`, on every
 * supported line of Node. Other lines than the one available come from the npm package `node`, outside the
 * repository.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { builtCommand } from './built.ts'
import { cacheFolder } from './kafka/cache.ts'

const LINES = ['20.19.0', '20', '22', '24', '26']

function nodeOf(line: string): string {
  const folder = join(cacheFolder(), `node-${line}`)
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(binary)) {
    console.log(`fetching Node ${line}`)
    const args = ['install', '--no-save', '--prefix', folder, `node@${line}`]
    const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`npm could not fetch Node ${line}:\n${stderr}`)
  }
  return binary
}

function run(node: string, args: readonly string[]): boolean {
  return spawnSync(node, args, { stdio: 'inherit' }).status === 0
}

const CHECK_CLIENT = "if (typeof KafkaClient !== 'function') process.exit(1)"

const main = builtCommand()
const failed: string[] = []
for (const line of LINES) {
  const node = nodeOf(line)
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  console.log(`\n=== Node ${version}`)
  const checks: Record<string, readonly string[]> = {
    'unit tests': ['node_modules/jest/bin/jest.js', '--maxWorkers=2', '--silent', 'test/unit'],
    import: ['--input-type=module', '-e', `import { KafkaClient } from 'samsa'; ${CHECK_CLIENT}`],
    require: ['-e', `const { KafkaClient } = require('samsa'); ${CHECK_CLIENT}`],
    command: [main, '--version'],
  }
  for (const [name, args] of Object.entries(checks)) {
    if (!run(node, args)) failed.push(`${name} on ${version}`)
  }
}
console.log(failed.length === 0 ? '\nall passed' : `\nfailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
