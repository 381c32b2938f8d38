/**
 * `samsa` as the shell examples in the documents find it: with the embedded brokers in place of the addresses,
 * and an end for what would go on. SAMSA_MAIN is the built command.
 */
import { spawn } from 'node:child_process'

const [command, ...rest] = process.argv.slice(2)
const added = {
  produce: ['--brokers', process.env.SAMSA_BROKERS],
  consume: ['--brokers', process.env.SAMSA_BROKERS, '--from-beginning', '--exit'],
  broker: ['--port', '0'],
}[command]
if (added === undefined) throw new Error(`The examples' samsa has no command ${command}`)
const args = [process.env.SAMSA_MAIN, command, ...rest, ...added]
const stdio = ['inherit', command === 'broker' ? 'pipe' : 'inherit', 'inherit']
const child = spawn(process.execPath, args, { stdio })
// A broker that has said where it is runs until it is interrupted.
child.stdout?.once('data', () => child.kill('SIGINT'))
child.on('exit', (code) => (process.exitCode = code ?? 1))
