import { join } from 'node:path'
import { kafkaTools } from '../../../support/kafka/download.ts'
import { outputOf, runCommand } from '../../../support/run-command.ts'
import { PATIENCE_MS } from '../../../support/patience.ts'

/** Kafka's own clients and tools; none are published for 4.4 yet. */

// Starting fast matters more than running fast. No log: what it says is what is compared.
const JVM_ARGUMENTS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx512m']

const PROGRAMS = join(__dirname, '..', 'java')

/** Runs a program of one source file with Kafka's clients and tools; returns what it printed. */
export function runWithKafka(
  program: string,
  args: readonly string[],
  input = '',
): Promise<string> {
  return run(join(PROGRAMS, program), args, input)
}

/** Runs one of Kafka's own tools in a process of its own. */
export function runTool(name: string, args: readonly string[]): Promise<string> {
  return run(`org.apache.kafka.tools.${name}`, args, '')
}

async function run(program: string, args: readonly string[], input: string): Promise<string> {
  const jars = await kafkaTools()
  const home = process.env['JAVA_HOME']
  const java = home ? join(home, 'bin', 'java') : 'java'
  const words = [...JVM_ARGUMENTS, '-cp', join(jars, '*'), program, ...args]
  const result = await runCommand(java, words, { input, timeoutMs: PATIENCE_MS })
  // It always complains that it has nowhere to log to.
  const stderr = result.stderr.replaceAll(/^SLF4J: .*\n/gm, '')
  return String(await outputOf(Promise.resolve({ ...result, stderr })))
}
