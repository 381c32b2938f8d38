/**
 * `npm run docs:api` writes the reference of the public API as HTML into reference/, from the docstrings of everything
 * that the entry points of package.json export. It fails when a link in a docstring leads nowhere.
 */
import { Application, type TypeDocOptions } from 'typedoc'
import { entryPoints } from './entry-points.ts'

const FOLDER = 'reference'

const OPTIONS: TypeDocOptions = {
  name: 'samsa',
  entryPoints: entryPoints().map(({ source }) => source),
  tsconfig: 'tsconfig.json',
  out: FOLDER,
  readme: 'README.md',
  excludeInternal: true,
  excludePrivate: true,
  // Links to files of this repository would lead to a server that the repository does not name.
  disableSources: true,
  // `npm run typecheck` checks the types.
  skipErrorChecking: true,
  validation: { invalidLink: true, notExported: false, notDocumented: false },
  treatValidationWarningsAsErrors: true,
}

async function main(): Promise<void> {
  const application = await Application.bootstrapWithPlugins(OPTIONS)
  const project = await application.convert()
  if (project === undefined) {
    process.exitCode = 1
    return
  }
  application.validate(project)
  if (!process.argv.includes('--check')) await application.generateOutputs(project)
  if (application.logger.hasErrors() || application.logger.hasWarnings()) process.exitCode = 1
}

void main()
