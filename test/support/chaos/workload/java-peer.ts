import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { clientJars } from '../../../wire/support/jars.ts'
import { runCommand } from '../../run-command.ts'

const SOURCE = 'test/support/chaos/workload/java/Peer.java'

/**
 * The arguments of `java` for the Java client's program, which is compiled once: from its source each start takes a
 * second of CPU, and on a busy machine up to a minute.
 */
export async function javaPeer(): Promise<readonly string[]> {
  const folder = await clientJars('4.4.0')
  // The compiler's own start expands wildcards, and this one does not.
  const jars = readdirSync(folder)
    .map((file) => join(folder, file))
    .join(delimiter)
  const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16)
  const cache = resolve('node_modules/.cache/samsa-chaos')
  const classes = join(cache, `peer-${hash}`)
  if (!existsSync(classes)) await compile(jars, cache, classes)
  return ['-cp', [classes, jars].join(delimiter), 'Peer']
}

/** By the compiler that also runs sources; in a folder of its own first, as others may compile at the same time. */
async function compile(jars: string, cache: string, classes: string): Promise<void> {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'compiling-'))
  const compiler = ['-m', 'jdk.compiler/com.sun.tools.javac.Main']
  const { exitCode, stderr } = await runCommand('java', [
    ...compiler,
    ...['-nowarn', '-cp', jars, '-d', folder, SOURCE],
  ])
  if (exitCode !== 0) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`${SOURCE} cannot be compiled: ${stderr}`)
  }
  try {
    renameSync(folder, classes)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    if (!existsSync(classes)) throw error
  }
}
