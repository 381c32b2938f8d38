/**
 * `npm run embed-storm-classes` compiles src/storm/java and writes the classes into src/storm/java/classes.ts: the
 * command has no file beside it to look for, and running it needs no compiler. Needs a JDK, and Storm's jars.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stormLibs } from '../test/support/storm/local-storm.ts'

const SOURCES = 'src/storm/java'
const TARGET = join(SOURCES, 'classes.ts')
/** Storm 2.6 runs on Java 11. */
const RELEASE = '11'

const libs = await stormLibs()
const folder = mkdtempSync(join(tmpdir(), 'samsa-classes-'))
try {
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.java'))
  execFileSync(
    'javac',
    [
      ...['-Xlint:-options', '-g:none', '--release', RELEASE, '-d', folder],
      ...['-cp', join(libs, '*')],
      ...sources.map((name) => join(SOURCES, name)),
    ],
    { stdio: 'inherit' },
  )
  const classes = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.class'))
    .sort()
  const lines = classes.map((name) => {
    const constant = name
      .replace(/^.*\/(\w+)\.class$/, '$1')
      .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
      .toUpperCase()
    return `
/** ${name.replace('.class', '.java').replace('samsa/storm/', '')} */
export const ${constant}: JavaClass = {
  path: '${name}',
  base64:
    '${readFileSync(join(folder, name)).toString('base64')}',
}
`
  })
  writeFileSync(
    TARGET,
    `/** Written by \`npm run embed-storm-classes\` from the Java sources in this folder. */

export interface JavaClass {
  /** The path of the class in a jar. */
  readonly path: string
  readonly base64: string
}
${lines.join('')}`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
