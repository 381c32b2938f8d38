#!/usr/bin/env node
import { keepCompiledCode } from '../terminal/compile-cache.ts'

keepCompiledCode()
// Not a static import: it would be compiled before the compile cache is enabled.
const { run } = await import('./run.ts')
run()
