import { describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { javaAvailable } from './kafka/java.ts'
import { pythonHas } from './python.ts'
import { pythonWithPykafka } from './pykafka/install.ts'
import { pythonWithKazoo } from './zookeeper/python.ts'

export { versionsToTest } from './real-versions.ts'

export type Tool = 'java' | 'kcat' | 'kafka-python' | 'confluent-kafka' | 'kazoo' | 'pykafka'

const PYTHON_MODULES: Partial<Record<Tool, readonly string[]>> = {
  // And its codecs.
  'kafka-python': ['kafka', 'snappy', 'lz4', 'zstandard'],
  'confluent-kafka': ['confluent_kafka'],
}

/**
 * A `describe` for tests that need real brokers. Where a tool is missing it says loudly that the tests did
 * not run: what did not run must not look like what passed. With CI=true that is a failure.
 */
export function describeWithBrokers(
  name: string,
  tools: readonly Tool[],
  define: () => void,
): void {
  const missing = tools.filter((tool) => !isThere(tool))
  describeUnlessMissing(name, missing, define)
}

/** The same for anything else that tests need: `missing` names what this machine does not have. */
export function describeUnlessMissing(
  name: string,
  missing: readonly string[],
  define: () => void,
): void {
  if (missing.length === 0) {
    describe(name, define)
    return
  }
  const reason = `${missing.join(' and ')} missing on this machine`
  const line = '='.repeat(80)
  process.stderr.write(`\n${line}\nNOT RUN: ${name}: ${reason}.\n${line}\n\n`)
  if (process.env['CI'] === 'true') {
    it(`${name}: has the tools it needs`, () => expect(missing).toEqual([]))
  } else {
    describe.skip(name, define)
  }
}

function isThere(tool: Tool): boolean {
  if (tool === 'java') return javaAvailable() !== undefined
  if (tool === 'pykafka') return pythonWithPykafka() !== undefined
  if (tool === 'kazoo') return pythonWithKazoo() !== undefined
  const modules = PYTHON_MODULES[tool]
  if (modules !== undefined) return pythonHas(modules)
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, tool)))
}

/** Whether a version, such as 0.10.2.2, is at least another, such as 0.11. */
export function isAtLeast(version: string, least: string): boolean {
  const ours = version.split('.').map(Number)
  const theirs = least.split('.').map(Number)
  const at = theirs.findIndex((part, index) => ours[index] !== part)
  return at < 0 || (ours[at] ?? 0) > theirs[at]!
}
