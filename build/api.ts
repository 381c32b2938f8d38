/**
 * `npm run api` writes a report of everything that users can import into api/, a file for each entry point.
 * `npm run api -- --check` compares instead, and fails when the reports in api/ are not current.
 * Both fail on a public member without a docstring.
 */
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { publicPart, reportProblems } from './api-report.ts'
import { writeDeclarations } from './declarations.ts'
import { entryPoints } from './entry-points.ts'
import { textUnionsOf, writtenOut } from './written-out.ts'

const REPORTS = 'api'

async function main(): Promise<void> {
  const isCheck = process.argv.includes('--check')
  // In the project, so that the extractor finds the types of Node.js.
  mkdirSync('node_modules/.cache', { recursive: true })
  const folder = mkdtempSync('node_modules/.cache/samsa-api-')
  try {
    await writeDeclarations(join(folder, 'declarations'))
    const stale: string[] = []
    const problems = entryPoints().flatMap(({ specifier, source }) => {
      const file = `${specifier.replaceAll('/', '-')}.api.md`
      const written = isCheck ? join(folder, 'reports') : REPORTS
      const report = join(REPORTS, file)
      const before = existsSync(report) ? readFileSync(report, 'utf8') : ''
      writeReport(join(folder, 'declarations', source.replace(/\.ts$/, '.d.ts')), written, file)
      const current = readFileSync(join(written, file), 'utf8')
      if (!isCheck && current !== before) stale.push(report)
      return reportProblems(specifier, isCheck ? before : current, current)
    })
    for (const report of stale) console.log(`${report} written`)
    if (problems.length === 0) {
      if (stale.length === 0) console.log(`the reports in ${REPORTS}/ are current`)
      return
    }
    console.error(problems.join('\n'))
    process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function writeReport(entry: string, folder: string, file: string): void {
  mkdirSync(folder, { recursive: true })
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve('package.json'),
    configObject: {
      projectFolder: resolve('.'),
      mainEntryPointFilePath: resolve(entry),
      compiler: {
        overrideTsconfig: {
          extends: resolve('tsconfig.json'),
          compilerOptions: { rootDir: resolve('.'), typeRoots: [resolve('node_modules/@types')] },
          include: [],
          files: [resolve(entry)],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: file,
        reportFolder: resolve(folder),
        reportTempFolder: resolve(folder, '.temp'),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  })
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error
    },
  })
  rmSync(resolve(folder, '.temp'), { recursive: true, force: true })
  if (!succeeded) throw new Error(`the API extractor failed for ${entry}`)
  const path = join(folder, file)
  const unions = textUnionsOf(resolve(entry), {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: true,
  })
  writeFileSync(path, writtenOut(publicPart(readFileSync(path, 'utf8')), unions))
}

await main()
