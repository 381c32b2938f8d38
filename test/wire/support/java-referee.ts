import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

// Starting fast matters more than running fast.
const JVM_ARGUMENTS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx256m']

function commandOf(name: 'java' | 'javac'): string {
  const home = process.env['JAVA_HOME']
  return home ? join(home, 'bin', name) : name
}

export interface JavaRefereeOptions {
  /** One source file, whose class has its name. */
  readonly program: string
  /** A folder of jars to compile with: the newest, which has all that the program asks. */
  readonly compileWith: string
  /** A folder of jars to run with; those of an older version may lack some of that. */
  readonly runWith: string
}

/** A Java program that answers each line of its input with a line of JSON, for as long as the test wants. */
export class JavaReferee implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #folder: string
  readonly #lines: AsyncIterator<string>
  #complaints = ''

  private constructor(child: ChildProcessWithoutNullStreams, folder: string) {
    this.#child = child
    this.#folder = folder
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()))
    child.stdin.on('error', () => undefined)
  }

  static async start(options: JavaRefereeOptions): Promise<JavaReferee> {
    const { program, compileWith, runWith } = options
    const folder = await mkdtemp(join(tmpdir(), 'samsa-referee-'))
    const compileArguments = ['-nowarn', '-cp', join(compileWith, '*'), '-d', folder, program]
    await run(commandOf('javac'), compileArguments)
    const main = program.split('/').at(-1)!.replace('.java', '')
    const classPath = [folder, join(runWith, '*')].join(delimiter)
    const child = spawn(commandOf('java'), [...JVM_ARGUMENTS, '-cp', classPath, main])
    return new JavaReferee(child, folder)
  }

  /** Writes a line that has no answer. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  /** One question at a time. Throws where the program has ended. */
  async ask(...words: readonly (string | number)[]): Promise<unknown> {
    this.tell(words.join('\t'))
    const line = await this.#lines.next()
    if (line.done === true) throw new Error(`the referee has ended:\n${this.#complaints}`)
    return JSON.parse(line.value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await ended
    await rm(this.#folder, { recursive: true, force: true })
  }
}
