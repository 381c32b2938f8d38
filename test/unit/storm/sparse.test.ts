import { afterEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { executors, setting } from '../../../src/storm/cli/command.ts'
import { ComponentLog } from '../../../src/storm/cli/component-log.ts'
import { readConfigFile } from '../../../src/storm/cli/config-file.ts'
import { duration } from '../../../src/storm/cli/duration.ts'
import { graphOf, toDot } from '../../../src/storm/cli/graph.ts'
import { toSvg } from '../../../src/storm/cli/graph-svg.ts'
import { stormOptions } from '../../../src/storm/cli/storm-options.ts'
import { withNodePath } from '../../../src/storm/cli/with-node-path.ts'
import { zip } from '../../../src/storm/deploy/zip.ts'
import {
  descriptionOf,
  readDescription,
  writeDescription,
} from '../../../src/storm/topology/description.ts'
import { unzip } from '../../support/storm/unzip.ts'
import { everything } from './fixtures/everything.ts'

const folder = mkdtempSync(join(tmpdir(), 'samsa-config-'))
const file = join(folder, 'config.json')
const read = (config: unknown, variables = {}) => {
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config))
  return readConfigFile(file, true, variables)
}
const env = (of: object, variables = {}) =>
  read({ envs: { prod: of } }, variables).environments.get('prod')!

describe('the config file', () => {
  afterEach(() => rmSync(file, { force: true }))

  it("accepts streamparse's keys", () => {
    const config = read({
      serializer: 'json',
      topology_specs: 'topologies/',
      virtualenv_specs: 'virtualenvs/',
      envs: {
        prod: {
          user: 'storm',
          ssh_password: '',
          ssh_port: 2222,
          nimbus: 'nimbus.example.com',
          workers: ['a', 'b'],
          log: { path: '/var/log', file: 'x.log', max_bytes: 100, backup_count: 3, level: 'WARN' },
          use_ssh_for_nimbus: true,
          use_virtualenv: true,
          virtualenv_root: '/data/virtualenvs/',
          options: { 'topology.environment': null },
        },
      },
    })
    expect(config.topologies).toBe('topologies/')
    expect(config.environments.get('prod')).toMatchObject({
      nimbus: [{ host: 'nimbus.example.com', port: 6627 }],
      workers: ['a', 'b'],
      log: { path: '/var/log', file: 'x.log', maxBytes: 100, backupCount: 3, level: 'warn' },
      user: 'storm',
      sshPort: 2222,
      serializer: 'json',
      options: { 'topology.environment': null },
    })
  })

  it('accepts several Nimbus servers, with ports, and one from STREAMPARSE_NIMBUS', () => {
    const two = [
      { host: 'a', port: 6627 },
      { host: '::1', port: 7000 },
    ]
    expect(env({ nimbus: ['a', '[::1]:7000'] }).nimbus).toEqual(two)
    expect(env({ nimbus: 'a,[::1]:7000' }).nimbus).toEqual(two)
    const variables = { STREAMPARSE_NIMBUS: 'b:1' }
    expect(env({ nimbus: '' }, variables).nimbus).toEqual([{ host: 'b', port: 1 }])
    expect(env({ nimbus: 'a' }, variables).nimbus).toEqual([{ host: 'a', port: 6627 }])
    expect(env({}).nimbus).toEqual([])
  })

  it.each([
    ['{', /config\.json is not valid JSON/],
    [[], /config\.json must be an object/],
    [{ enws: {} }, /config\.json: the key 'enws' is unknown; the keys are .*envs/],
    [
      { envs: { prod: { nimbos: 'a' } } },
      /envs\.prod: the key 'nimbos' is unknown; the keys are nimbus/,
    ],
    [{ envs: { prod: { nimbus: 'a:b' } } }, /envs\.prod: 'a:b' is not an address of Nimbus/],
    [{ envs: { prod: { log: { size: 1 } } } }, /envs\.prod\.log: the key 'size' is unknown/],
    [{ envs: { prod: { log: { max_bytes: '1' } } } }, /max_bytes must be a whole number/],
    [{ envs: { prod: { options: [] } } }, /options must be an object/],
    [{ serializer: 'yaml' }, /serializer must be json or msgpack/],
  ])('rejects %j and names the position', (config, problem) => {
    expect(() => read(config)).toThrow(problem)
  })
})

describe('the settings that a topology is submitted with', () => {
  const none = {
    given: {},
    topology: {},
    environment: undefined,
    serializer: 'json',
    hasSerializers: false,
    workerHosts: 1,
  } as const

  it('come from the command line before the topology before the environment', () => {
    const environment = { options: { a: 'env', b: 'env', c: 'env' }, log: { level: 'warn' } }
    const topology = { b: 'topology', c: 'topology' }
    const settings = stormOptions({
      ...none,
      environment,
      topology,
      given: { option: { c: 'cli' } },
    })
    expect(settings).toMatchObject({
      a: 'env',
      b: 'topology',
      c: 'cli',
      'pystorm.log.level': 'warn',
    })
  })

  it('have a worker and an acker for each host by default', () => {
    expect(stormOptions({ ...none, workerHosts: 3 })).toEqual({
      'topology.acker.executors': 3,
      'topology.workers': 3,
    })
    const topology = { 'topology.workers': 2, 'topology.acker.executors': 0 }
    expect(stormOptions({ ...none, workerHosts: 3, topology })).toEqual(topology)
    const given = { ackers: 0, workers: 5, debug: true }
    expect(stormOptions({ ...none, topology, given })).toMatchObject({
      'topology.acker.executors': 0,
      'topology.workers': 5,
      'topology.debug': true,
    })
  })

  it('name the Java class of a serializer, and for JSON only if the jar has it', () => {
    const name = 'topology.multilang.serializer'
    const settings = stormOptions({ ...none, hasSerializers: true })
    expect(settings[name]).toBe('samsa.storm.JsonSerializer')
    expect(stormOptions(none)).not.toHaveProperty([name])
    const given = { option: { [name]: 'org.apache.storm.multilang.JsonSerializer' } }
    expect(stormOptions({ ...none, hasSerializers: true, given })).toMatchObject(given.option)
    expect(stormOptions({ ...none, serializer: 'msgpack' })).toMatchObject({
      'topology.multilang.serializer': 'samsa.storm.MsgpackSerializer',
    })
  })

  it('are read from KEY=VALUE as JSON or text', () => {
    const read = ['a=1', 'b=true', 'c=x=y', 'd=[1,"2"]', 'a=null'].reduce<
      Readonly<Record<string, unknown>> | undefined
    >((before, text) => setting(text, before), undefined)
    expect(read).toEqual({ a: null, b: true, c: 'x=y', d: [1, '2'] })
    expect(() => setting('a', undefined)).toThrow(/KEY=VALUE/)
    expect(executors('count=4', { split: 2 })).toEqual({ split: 2, count: 4 })
    expect(() => executors('count=x', undefined)).toThrow(/COMPONENT=NUMBER/)
  })
})

describe('a topology that is described', () => {
  it('is read as it was written, with bytes and longs of Java components', () => {
    const description = descriptionOf(everything())
    const text = writeDescription(description)
    expect(text).not.toContain('\n')
    expect(readDescription(text)).toEqual(description)
    expect(() => readDescription('{}')).toThrow(/not a description/)
  })

  it('uses another Node.js for its own components only', () => {
    const { spouts, bolts } = withNodePath(everything().toStorm(), '/opt/node')
    const shell = (command: string, script: string) => ({
      shell: { execution_command: command, script },
    })
    expect(spouts['source']!.spout_object).toEqual(shell('/opt/node', 'topology.cjs'))
    expect(bolts['sink']!.bolt_object).toEqual(shell('/opt/node', 'topology.cjs'))
    expect(bolts['shell']!.bolt_object).toEqual(shell('python3', 'x.py'))
  })

  it('is drawn as DOT and as SVG', () => {
    const graph = graphOf(descriptionOf(everything()))
    const dot = toDot(graph)
    expect(dot).toContain('"source" [label="source ×3", shape=house')
    for (const [from, to, label] of [
      ['source', 'java', 'C'],
      ['java', 'serialized', 'global'],
      ['source', 'sink', 'to: direct'],
      ['shell', 'sink', 'fields(z)'],
      ['java', 'sink', 'local or shuffle'],
    ]) {
      expect(dot).toContain(`"${from}" -> "${to}" [label="${label}"]`)
    }
    const svg = toSvg(graph)
    expect(svg.match(/<rect /g)).toHaveLength(5)
    expect(svg.match(/<path d="M\d+ \d+C/g)).toHaveLength(graph.edges.length)
    expect(toSvg({ ...graph, name: '<&>' })).toContain('<title>&lt;&amp;&gt;</title>')
  })
})

describe('a jar', () => {
  it('contains the files, and is identical for identical files', () => {
    const files = [
      { path: 'META-INF/MANIFEST.MF', bytes: Buffer.from('x') },
      { path: 'resources/ü.js', bytes: Buffer.from('let a\n'.repeat(1000)) },
    ]
    const jar = zip(files)
    expect(zip(files).equals(jar)).toBe(true)
    expect(jar.length).toBeLessThan(600)
    expect([...unzip(jar)]).toEqual(files.map(({ path, bytes }) => [path, bytes]))
  })
})

describe('the log of a Storm in one JVM', () => {
  const lines = (log: ComponentLog, text: string) =>
    text
      .split('\n')
      .map((line) => log.take(line))
      .filter((line) => line !== undefined)
  const DIED =
    '12:00:00.001 ERROR ShellBolt Halting process: ShellBolt died. Command: [node, topology.cjs], ProcessInfo pid:7, name:split exitCode:1, errorString: '

  it('shows what components log by their names, without Java stack traces', () => {
    const shown = lines(
      new ComponentLog(false),
      `12:00:00.000 INFO  ShellBolt Launched subprocess with pid 7
12:00:00.000 INFO  ShellBolt ShellLog pid:7, name:split two words
java.lang.Exception: x
\tat a.B.c(B.java:1)`,
    )
    expect(shown).toEqual(['12:00:00.000 INFO  split: two words', 'java.lang.Exception: x'])
  })

  it('names the component that has thrown, the error and its line', async () => {
    const log = new ComponentLog(false)
    lines(
      log,
      `12:00:00.000 ERROR ReportError Error
java.lang.Exception: Shell Process Exception: RangeError raised while processing Tuple({ id: '1' })
RangeError: no apples
    at Split.process (topologies/words.ts:43:34)
    at node:internal
${DIED}
java.io.IOException: Stream closed`,
    )
    expect(await log.died).toEqual({
      component: 'split',
      reason: 'RangeError: no apples (at Split.process (topologies/words.ts:43:34))',
    })
    expect(log.take('12:00:00.002 ERROR ReportError Error')).toBeUndefined()
  })

  it('reports that a component never returns, and the code with which another has ended', async () => {
    const stuck = new ComponentLog(false)
    lines(stuck, `${DIED}\njava.lang.RuntimeException: subprocess heartbeat timeout`)
    expect(await stuck.died).toMatchObject({
      reason: expect.stringContaining('topology.subprocess.timeout.secs') as unknown,
    })
    const ended = new ComponentLog(false)
    lines(ended, `${DIED}\njava.io.IOException: Stream closed`)
    expect(await ended.died).toMatchObject({ reason: 'its process ended with exit code 1' })
  })
})

describe('a duration', () => {
  it.each([
    [0, '0s'],
    [59, '59s'],
    [125, '2m 5s'],
    [3_600, '1h 0m'],
    [200_000, '2d 7h'],
  ])('of %i s is shown as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })
})
