import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleModule } from '../deploy/bundle.ts'
import type { Config } from '../topology/declarations.ts'
import { UsageError } from '../../terminal/failure.ts'

/** The argument of a hook. */
export interface HookContext {
  readonly topology: string
  readonly environment: string
  /** Storm's settings with which the topology is submitted. */
  readonly options: Config
}

type Hook = (context: HookContext) => unknown

export interface Hooks {
  readonly preSubmit: Hook | undefined
  readonly postSubmit: Hook | undefined
}

/**
 * The functions `preSubmit` and `postSubmit` that the module exports. Throws UsageError, and any
 * error of the module.
 */
export async function loadHooks(file: string | undefined): Promise<Hooks> {
  if (file === undefined) return { preSubmit: undefined, postSubmit: undefined }
  if (!existsSync(file)) throw new UsageError(`the file ${file} of 'hooks' does not exist`)
  const code = await bundleModule(file)
  // In the project folder, so that the module finds its packages.
  const folder = await mkdtemp(resolve('.sparse-'))
  try {
    const bundle = join(folder, 'hooks.mjs')
    await writeFile(bundle, code)
    const loaded: unknown = await import(pathToFileURL(bundle).href)
    return {
      preSubmit: hookOf(loaded, 'preSubmit', file),
      postSubmit: hookOf(loaded, 'postSubmit', file),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function hookOf(loaded: unknown, name: string, file: string): Hook | undefined {
  const hook: unknown =
    typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, name) : undefined
  if (hook === undefined) return undefined
  if (typeof hook === 'function')
    return (context) => Reflect.apply(hook, undefined, [context]) as unknown
  throw new UsageError(`${file}: ${name} must be a function`)
}
