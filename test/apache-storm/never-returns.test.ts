import { expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isProcessAlive } from '../support/kafka/process-birth.ts'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { stormLibs } from '../support/storm/local-storm.ts'
import { builtSparse, SparseProject } from '../support/storm/sparse.ts'
import { until } from '../support/until.ts'

const TIMEOUT_MS = 300_000

/** Each component leaves its pid in a file; the bolt never returns from its first tuple. */
const TOPOLOGY = `
import { appendFileSync } from 'node:fs'
import { Bolt, defineTopology, runTopology, Spout, type StormConf } from 'samsa/storm'

const note = (conf: StormConf, text: string) => appendFileSync(String(conf['test.pids']), text + '\\n')

class Numbers extends Spout {
  static readonly outputs = ['n']
  override initialize(conf: StormConf) {
    note(conf, 'numbers ' + process.pid)
  }
  override nextTuple() {
    this.emit([1], { id: 1 })
  }
}

class Spins extends Bolt {
  override initialize(conf: StormConf) {
    note(conf, 'spins ' + process.pid)
  }
  override process() {
    note(this.stormConf, 'processing ' + process.pid)
    for (;;);
  }
}

runTopology(
  defineTopology({
    name: 'spins',
    spouts: { numbers: { component: Numbers } },
    bolts: { spins: { component: Spins, inputs: ['numbers'] } },
    config: { 'topology.max.spout.pending': 1 },
  }),
)
`

describeWithStorm('a component that never returns', () => {
  const withProject = async (run: (project: SparseProject, pids: string) => Promise<void>) => {
    using project = new SparseProject({ 'topologies/spins.ts': TOPOLOGY })
    const pids = join(project.path, 'pids')
    await run(project, pids)
    const started = readFileSync(pids, 'utf8').trimEnd().split('\n')
    expect(started.map((line) => line.split(' ')[0]).sort()).toEqual([
      ...['numbers', 'processing', 'spins'],
    ])
    const all = started.map((line) => Number(line.split(' ')[1]))
    expect(all.filter(isProcessAlive)).toEqual([])
  }

  it(
    'is named when it ends sparse run, and leaves no process behind',
    () =>
      withProject(async (project, pids) => {
        const settings = ['-o', `test.pids=${pids}`, '-o', 'topology.subprocess.timeout.secs=5']
        const { exitCode, stderr } = await project.sparse(['run', ...settings])
        expect(stderr).toMatch(
          /because of the component 'spins': it did not respond for topology\.subprocess\.timeout\.secs: its code blocks the event loop/,
        )
        expect(exitCode).toBe(1)
      }),
    TIMEOUT_MS,
  )

  it(
    'leaves no process behind when Ctrl-C ends sparse run',
    () =>
      withProject(async (project, pids) => {
        const child = spawn(process.execPath, [builtSparse(), 'run', '-o', `test.pids=${pids}`], {
          cwd: project.path,
          env: { ...process.env, STORM_HOME: await stormLibs() },
          stdio: 'ignore',
        })
        let exitCode: number | null | undefined
        child.on('close', (code) => (exitCode = code))
        const isSpinning = (): boolean =>
          existsSync(pids) && readFileSync(pids, 'utf8').includes('processing')
        await until(() => isSpinning() || exitCode !== undefined)
        child.kill('SIGINT')
        await until(() => exitCode !== undefined)
        expect(exitCode).toBe(130)
      }),
    TIMEOUT_MS,
  )
})
