import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Reader } from '../../../protocol/buffer/reader.ts'

/** What Kafka's own code said to a command. */
export type Answer =
  | { readonly ok: true; readonly bytes: Buffer; readonly text: string }
  | { readonly ok: false; readonly problem: string }

// Starting fast matters more than running fast.
const JVM_ARGUMENTS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx512m']

/** Runs a program of one source file with these jars; returns what it wrote for this input. */
export async function runJava(program: string, jars: string, input: Uint8Array): Promise<Buffer> {
  const home = process.env['JAVA_HOME']
  const command = home ? join(home, 'bin', 'java') : 'java'
  const child = spawn(command, [...JVM_ARGUMENTS, '-cp', join(jars, '*'), program])
  const output: Buffer[] = []
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  // A program that ends early is told from its exit code, not from the pipe that broke.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}:\n${complaints}`)
  return Buffer.concat(output)
}

export function readAnswer(reader: Reader): Answer {
  const ok = reader.int8() === 0
  const bytes = reader.bytes(reader.int32())
  const text = reader.utf8(reader.int32())
  return ok ? { ok, bytes, text } : { ok, problem: text }
}
