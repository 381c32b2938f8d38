/**
 * `npm run bench:compare -- FOLDER FOLDER`: two reports of `npm run bench` beside each other. By each figure, how
 * many times as good as samsa each client was in both, and whether that agrees within the spreads they state.
 */
import { Command } from 'commander'
import { messageOf } from '../test/support/kafka/wait.ts'
import { compare, comparisonCells, sumOf } from './report/compare.ts'
import { readReport } from './report/save.ts'
import { aligned } from './report/text.ts'

function main(): void {
  const { args } = new Command('npm run bench:compare --')
    .description('Says whether two reports agree about the clients, within the spreads they state')
    .argument('<first>', 'the folder of a report, such as benchmarks/results/2026-11-28T191436')
    .argument('<second>', 'that of another')
    .showHelpAfterError('(--help lists the options)')
    .parse()
  try {
    const compared = compare(readReport(args[0]!), readReport(args[1]!))
    console.log(aligned(comparisonCells(compared)))
    console.log(`\n${sumOf(compared)}`)
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = 1
  }
}

main()
