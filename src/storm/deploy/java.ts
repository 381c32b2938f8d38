import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { StormError } from '../errors.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** The newest version for which Maven Central also has the parent POMs. */
export const STORM_VERSION = '2.8.3'
const OLDEST_JAVA = 17

/** The command that runs Java. Throws StormError (MISSING_JAVA). */
export async function findJava(variables: Variables): Promise<string> {
  const home = variables['JAVA_HOME']
  const command = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java')
  const text = await new Promise<string>((resolve, reject) => {
    execFile(
      command,
      ['-version'],
      { env: { ...process.env, ...variables } },
      (error, _out, text) => {
        if (error === null) resolve(text)
        else reject(missingJava(`'${command} -version' failed`, error))
      },
    )
  })
  const version = /version "(?:1\.)?(\d+)/.exec(text)?.[1]
  if (version !== undefined && Number(version) < OLDEST_JAVA) {
    throw missingJava(`'${command}' is Java ${version}`)
  }
  return command
}

function missingJava(problem: string, cause?: unknown): StormError {
  const reason = `${problem}: Storm requires Java ${OLDEST_JAVA} or newer, on the PATH or in JAVA_HOME`
  return new StormError('MISSING_JAVA', reason, undefined, cause)
}

/** The folder into which `sparse storm install` puts Storm's jars. */
export function installedStorm(variables: Variables): string {
  const cache = variables['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(cache, 'samsa', `apache-storm-${STORM_VERSION}`)
}

/** The class path of Storm: that of STORM_HOME, or that of the installed version. Throws StormError (MISSING_STORM). */
export function stormClassPath(variables: Variables): readonly string[] {
  const home = variables['STORM_HOME']
  const from = home === undefined || home === '' ? installedStorm(variables) : home
  const folders = [from, join(from, 'lib'), join(from, 'extlib')].filter(hasJars)
  if (folders.some(hasStormServer)) return folders.map((folder) => join(folder, '*'))
  const reason =
    from === home
      ? `STORM_HOME is ${home}, which has no storm-server jar`
      : "Storm's jars are missing"
  throw new StormError(
    'MISSING_STORM',
    `${reason}: run 'sparse storm install', or set STORM_HOME to an installation of Apache Storm`,
  )
}

function hasJars(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.jar'))
}

function hasStormServer(folder: string): boolean {
  return readdirSync(folder).some((name) => /^storm-server-.*\.jar$/.test(name))
}
