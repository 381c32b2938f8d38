import module from 'node:module'

/** The function of Node.js 22.1 that the types of Node.js 20 do not contain. */
interface CompileCache {
  readonly builtinModules: readonly string[]
  readonly enableCompileCache?: () => unknown
}

/**
 * Makes Node.js store the compiled code of the modules that are loaded from now on, in its folder
 * for temporary files, so that the next start does not compile them again. Node.js 20 does not
 * support it; NODE_DISABLE_COMPILE_CACHE=1 turns it off.
 */
export function keepCompiledCode(): void {
  const cache: CompileCache = module
  cache.enableCompileCache?.()
}
