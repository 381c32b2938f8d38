#!/usr/bin/env node
import { reportFailure } from './failure.ts'
import { program } from './program.ts'

program().parseAsync().catch(reportFailure)
