/**
 * `npm run docs:chaos -- FOLDER [RESULTS.json …]`: writes a report of the results.json in a folder, and of its soak.json
 * if there is one, with a chart, and the tables in docs/reliability.md. Results of further files are kept in the
 * folder's first, in the place of those of the same scenarios and versions.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { recoveryChart } from './chart.ts'
import { footprintTable, recoveryTable, scenarioTable, soakText } from './tables.ts'
import { keep, readResults } from './results.ts'

const DOCUMENT = 'docs/reliability.md'
const CHART = 'recovery.svg'

async function write(file: string, text: string): Promise<void> {
  const style = await resolveConfig(file)
  writeFileSync(file, await format(text, { ...style, parser: 'markdown' }))
}

function within(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no ${begin} … ${end}`)
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`
}

const [folder, ...more] = process.argv.slice(2)
if (folder === undefined) throw new Error('the folder of the results is missing')
for (const file of more) keep(join(folder, 'results.json'), readResults(file))
const results = readResults(join(folder, 'results.json'))
if (results.length === 0) throw new Error(`${folder} has no results`)
const soak = readResults(join(folder, 'soak.json'))
const chart = recoveryChart(results)
writeFileSync(join(folder, CHART), chart)
const report = [
  '# Chaos scenarios on real clusters',
  'Three brokers, topics of three replicas with `min.insync.replicas` 2; how to repeat it is in [docs/reliability.md](../../../docs/reliability.md).',
  scenarioTable(results),
  '## Recovery beside the Java client',
  `![recovery](${CHART})`,
  'The longest time that a partition stood still because of a fault: the median of the samples, and all of them.',
  recoveryTable(results),
  ...(soak.length === 0 ? [] : ['## Soak']),
  ...soak.flatMap((hour) => [
    soakText(hour),
    'Heap after a garbage collection and handles, each the least of the second quarter and of the last:',
    footprintTable(hour),
  ]),
]
await write(join(folder, 'report.md'), report.join('\n\n'))
let document = readFileSync(DOCUMENT, 'utf8')
document = within(document, 'scenarios', scenarioTable(results))
document = within(document, 'recoveries', recoveryTable(results))
if (soak.length > 0) document = within(document, 'soak', soak.map(soakText).join('\n\n'))
await write(DOCUMENT, document)
