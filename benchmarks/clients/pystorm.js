/** pystorm, streamparse's run time: words.py and count.py of benchmarks/storm. `PYTHON` names another Python that has it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { drive } from './driver/drive.js'
import { stormWays } from './driver/storm.js'

const installed = fileURLToPath(new URL('../peers/python/bin/python', import.meta.url))
const python = process.env.PYTHON ?? (existsSync(installed) ? installed : 'python3')
const VERSIONS =
  'import platform, importlib.metadata as m; print(m.version("pystorm"), platform.python_version())'

const { status, stdout } = spawnSync(python, ['-c', VERSIONS], { encoding: 'utf8' })
if (status !== 0) {
  process.stdout.write(
    `${JSON.stringify({ error: 'pystorm is not installed: npm run bench:peers' })}\n`,
  )
  process.exit(1)
}
const [version, pythonVersion] = stdout.trim().split(' ')

await drive({
  version,
  runtime: `Python ${pythonVersion}`,
  storm: stormWays('`Spout`, `Bolt`', () => ({
    topology: 'pystorm',
    env: { BENCH_PYTHON: python },
    // Storm's default, which streamparse uses; `sparse` would set samsa's.
    conf: { 'topology.multilang.serializer': 'org.apache.storm.multilang.JsonSerializer' },
  })),
})
