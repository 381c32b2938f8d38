#!/usr/bin/env node
import { keepCompiledCode } from '../terminal/compile-cache.ts'

keepCompiledCode()
// Not a static import, which would be compiled before the cache is in use.
const { run } = await import('./run.ts')
run()
