/** A gate in a process of its own, as in another network namespace. Argument: routes as JSON. It passes all on. */
import { Gate, type Route } from './gate.ts'

await Gate.start(JSON.parse(process.argv[2] ?? '[]') as Route[])
process.stdout.write('ready\n')
