/**
 * `samsa` as the shell examples in the documents find it: with the embedded brokers in place of the addresses,
 * and an end for what would continue. SAMSA_MAIN is the built command.
 */
import { spawn } from 'node:child_process'

const [command, ...rest] = process.argv.slice(2)
const connects = rest.some((arg) => arg === '--brokers')
const starts = rest.some((arg) => /^(?:-o|--(?:tail|from|from-beginning|count-only))$/.test(arg))
const added = {
  produce: connects ? ['--brokers', process.env.SAMSA_BROKERS] : [],
  consume: starts ? ['--exit'] : ['--from-beginning', '--exit'],
  broker: ['--port', '0'],
}
const args = [process.env.SAMSA_MAIN, command, ...rest, ...(added[command] ?? [])]
const stdio = ['inherit', command === 'broker' ? 'pipe' : 'inherit', 'inherit']
const child = spawn(process.execPath, args, { stdio })
// A broker that has said where it is runs until it is interrupted.
child.stdout?.once('data', () => child.kill('SIGINT'))
child.on('exit', (code) => (process.exitCode = code ?? 1))
