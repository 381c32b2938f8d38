/**
 * `npm run bench:cli` measures the command:
 *
 * - without an argument, twenty tasks beside kcat and Kafka's own tools (tasks.ts)
 * - `-- large [GIGABYTES]`: a file of 2 GB, sent and printed, beside kcat (large-file.ts)
 * - `-- start`: how long commands take to start (start-up.ts)
 */
import { compareWithLargeFile } from './large-file.ts'
import { measureStartUp } from './start-up.ts'
import { compareTasks } from './tasks.ts'

const [what = 'tasks', size = '2'] = process.argv.slice(2)
if (what === 'tasks') await compareTasks()
else if (what === 'large') await compareWithLargeFile(Number(size))
else if (what === 'start') await measureStartUp()
else throw new Error(`'${what}' is not measured: tasks, large and start are`)
