#!/usr/bin/env node
import { reportFailure, reportFailuresOf } from './failure.ts'
import { program } from './program.ts'

reportFailuresOf(process.stdout)
program(process.argv[2])
  .then((samsa) => samsa.parseAsync())
  .catch(reportFailure)
