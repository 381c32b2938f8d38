#!/usr/bin/env node
import { reportFailure } from './failure.ts'
import { program } from './program.ts'

process.stdout.on('error', reportFailure)
program().parseAsync().catch(reportFailure)
