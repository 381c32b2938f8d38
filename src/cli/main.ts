#!/usr/bin/env node
import { reportFailure, reportFailuresOf } from './failure.ts'
import { program } from './program.ts'

reportFailuresOf(process.stdout)
program().parseAsync().catch(reportFailure)
