import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StormError } from '../errors.ts'
import { STORM_VERSION } from './java.ts'

const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>samsa.storm</groupId>
  <artifactId>apache-storm</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${['storm-client', 'storm-server']
  .map(
    (name) =>
      `    <dependency><groupId>org.apache.storm</groupId><artifactId>${name}</artifactId><version>${STORM_VERSION}</version></dependency>\n`,
  )
  .join('')}  </dependencies>
</project>
`
const GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'

/**
 * Downloads Storm's jars into the folder, which contains either all of them or does not exist.
 * Throws StormError.
 */
export async function fetchStorm(
  folder: string,
  onOutput: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const part = await mkdtemp(`${folder}.part-`)
  try {
    await writeFile(join(part, 'pom.xml'), POM)
    const args = ['-B', '-ntp', GOAL, '-DincludeScope=runtime', '-DoutputDirectory=.']
    await run('mvn', args, part, onOutput, signal)
    if (existsSync(folder)) await rm(folder, { recursive: true })
    await rename(part, folder)
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  onOutput: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(command, args, { cwd, signal, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const take = (chunk: Buffer): void => {
    output += chunk.toString()
    onOutput(chunk.toString())
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve)
    child.on('error', (error) => {
      const reason = `cannot run '${command}', which fetches Storm's jars: ${error.message}. Install Maven, or set STORM_HOME to an installation of Apache Storm`
      reject(new StormError('MISSING_STORM', reason, undefined, error))
    })
  })
  if (code === 0) return
  const problems = output.split('\n').filter((line) => line.startsWith('[ERROR]'))
  const [first = 'see its output'] = problems
  throw new StormError('MISSING_STORM', `Maven could not fetch Storm (exit code ${code}): ${first}`)
}
