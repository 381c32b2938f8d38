import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { entryPoints } from '../../build/entry-points.ts'
import { VERSION } from '../../src/version.ts'

/** How long a file may get before it is two ideas. */
const MAX_LINES = 600

/**
 * What the folders of src may import, themselves aside: always further down. Files that lie in src itself
 * put the parts together (client, topic, index) and are at the top, unless they are named here.
 */
const LAYERS = [
  ['cli'],
  ['client'],
  ['balanced', 'share', 'admin'],
  ['consumer', 'producer'],
  ['cluster'],
  ['network'],
] as const
/** What all of src may import. */
const FOR_ALL = [
  'async',
  'builtins',
  'observe',
  'errors',
  'recovery',
  'options',
  'option-table',
  'call-options',
  'version',
  'protocol',
]

/** What users import, and so does the command. */
const ENTRANCES = entryPoints().map(({ source }) => source)
/** Storm's components use the client by its entrance, and share small helpers with it. */
const FOR_STORM = ['async', 'options', 'version']
/** The command `sparse` writes to a terminal, too. */
const SPARSE = 'src/storm/cli/'
/** What samsa/opentelemetry and samsa/prometheus share with the client, beside its entrance. */
const FOR_INSTRUMENTS = ['options', 'option-table', 'version']
/** What only `sparse` uses: a topology that is bundled must not carry it to the workers. */
const FOR_SPARSE = ['cli', 'deploy', 'java', 'thrift'].map((name) => `src/storm/${name}/`)
/** The embedded brokers are the other side: what they share with the client would agree with itself. */
const FOR_EMBEDDED = ['async', 'errors', 'options', 'option-table', 'protocol']
/**
 * What the folders of src/embedded may import of each other: always further down. Files that lie in src/embedded
 * itself put the parts together and are at the top, unless they are named here.
 */
const EMBEDDED_LAYERS = [
  ['server', 'zookeeper'],
  ['handlers', 'faults'],
  ['api'],
  ['transactions'],
  ['groups', 'fetch', 'security'],
  ['authorization', 'quotas'],
  ['cluster'],
  ['storage', 'telemetry'],
  ['log'],
  ['versions', 'listen'],
  ['refused', 'timers', 'embedded-cluster-error'],
] as const
/** What takes as long to load as all of samsa, and few need. */
const SLOW_TO_LOAD = /^import (?!type )[^']*'(node:https?|node-zookeeper-client)'/gm
/** Most of the code of each part that a program may not need. Its public classes are exports, and load nothing of it. */
const LOADED_WHEN_USED = [
  'src/admin/admin.ts',
  'src/balanced/protocols.ts',
  'src/balanced/machine.ts',
  'src/observe/telemetry/pusher.ts',
  'src/producer/transactions/manager.ts',
  'src/share/membership.ts',
  'src/share/share-fetcher.ts',
]
/** The client itself gets these from a file of this name. */
const GOT_FROM: Readonly<Record<string, string>> = {
  crypto: 'src/builtins.ts',
  dns: 'src/builtins.ts',
  fs: 'src/builtins.ts',
  net: 'src/builtins.ts',
  tls: 'src/builtins.ts',
  util: 'protocol/builtins.ts',
  zlib: 'protocol/builtins.ts',
}
const LOADED_LATER =
  /^import (?!type )[^']*'node:(crypto|dns|fs|net|tls|util|zlib)(?:\/promises)?'/gm
const LOADS_THEM = /^src\/(embedded|cli|kafkajs|opentelemetry|prometheus|storm|terminal)\//
const FRAME_READER = 'src/network/frame-reader.ts'

const files = ['src', 'protocol'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))

/** The files that a file imports, types too. */
function importsOf(file: string): string[] {
  const found = texts.get(file)?.matchAll(/(?:from |import |import\()'(\.[^']+)'/g) ?? []
  return [...found].map(([, path]) => normalize(join(dirname(file), path!)))
}

/** Groups of files of which each imports each, if only through others: Tarjan's strongly connected components. */
function cyclesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const order = new Map<string, number>()
  const stack: string[] = []
  const visit = (file: string): number => {
    const index = order.size
    order.set(file, index)
    stack.push(file)
    let lowest = index
    for (const imported of imports.get(file) ?? []) {
      if (!order.has(imported)) lowest = Math.min(lowest, visit(imported))
      else if (stack.includes(imported)) lowest = Math.min(lowest, order.get(imported)!)
    }
    if (lowest === index) {
      const group = stack.splice(stack.indexOf(file))
      if (group.length > 1 || imports.get(file)?.includes(file)) cycles.push(group.sort())
    }
    return lowest
  }
  for (const file of imports.keys()) if (!order.has(file)) visit(file)
  return cycles.sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
}

/** Those that are left when it runs: types are gone then. */
function loadedBy(file: string): string[] {
  const found =
    texts.get(file)?.matchAll(/^(?:import|export) (?!type )[^']*?from '(\.[^']+)'/gm) ?? []
  return [...found].map(([, path]) => normalize(join(dirname(file), path!)))
}

/** The imports of modules that few clients need, with what to use instead. */
function slowImportsOf(file: string, text: string): string[] {
  const slow = [...text.matchAll(SLOW_TO_LOAD)].map(
    ([, module]) =>
      `${file} imports ${module}: load it where it is used, with \`await import()\`, or import its types only`,
  )
  const later = [...text.matchAll(LOADED_LATER)].map(
    ([, module]) => `${file} imports node:${module}: use ${module}Module of ${GOT_FROM[module!]!}`,
  )
  return LOADS_THEM.test(file) ? slow : [...slow, ...later]
}

/** ESLint and TypeScript take a reason on the same line. Prettier takes none: it is on the line before. */
function givesReason(line: string, lineBefore: string): boolean {
  if (line.includes('eslint-disable')) return / -- \S/.test(line)
  if (/@ts-(expect-error|ignore|nocheck)/.test(line)) return /@ts-expect-error \S/.test(line)
  return line.trim() !== '// prettier-ignore' || /^ *\/\/ [A-Z]/.test(lineBefore)
}

/** `network` for a file in src/network, `errors` for src/errors.ts, `protocol` for all of that. */
function partOf(file: string): string {
  const [top, name] = file.split('/')
  return top === 'src' ? name!.replace(/\.ts$/, '') : top!
}

function layerOf(part: string): number {
  const layer = LAYERS.findIndex((parts) => parts.some((name) => name === part))
  // Other files in src itself are at the top, next to the client.
  return layer < 0 ? LAYERS.findIndex(([first]) => first === 'client') : layer
}

function mayImport(from: string, to: string): boolean {
  const [part, other] = [partOf(from), partOf(to)]
  if (part === other) return true
  if (part === 'protocol') return false
  if (part === 'terminal') return false
  if (from.startsWith(SPARSE) && other === 'terminal') return true
  if (part === 'opentelemetry' || part === 'prometheus') {
    return to === 'src/index.ts' || FOR_INSTRUMENTS.includes(other)
  }
  if (other === 'opentelemetry' || other === 'prometheus') return false
  if (part === 'storm') return FOR_STORM.includes(other) || to === 'src/index.ts'
  if (part === 'kafkajs') return ENTRANCES.includes(to)
  if (other === 'storm' || other === 'kafkajs') return part === 'cli' && ENTRANCES.includes(to)
  if (part === 'cli') return ENTRANCES.includes(to) || ['version', 'terminal'].includes(other)
  if (part === 'embedded') return FOR_EMBEDDED.includes(other) || to === FRAME_READER
  if (FOR_ALL.includes(other)) return true
  if (FOR_ALL.includes(part)) return false
  const isTop = layerOf(part) === layerOf('client')
  return layerOf(other) > layerOf(part) || (isTop && layerOf(other) === layerOf(part))
}

/** `handlers` for a file in src/embedded/handlers, `timers` for src/embedded/timers.ts; else undefined. */
function embeddedPartOf(file: string): string | undefined {
  const [, top, name] = file.split('/')
  return top === 'embedded' ? name!.replace(/\.ts$/, '') : undefined
}

/** The number of lines of each call of a function, whose last line Prettier indents as its first. */
function linesOfCalls(name: string, text: string): number[] {
  const lines = text.split('\n')
  const indentOf = (line: string): number => line.length - line.trimStart().length
  return lines.flatMap((line, at) => {
    if (!line.includes(`${name}(`)) return []
    const open = line.split('(').length > line.split(')').length
    if (!open) return [1]
    const length = lines.slice(at + 1).findIndex((next) => indentOf(next) <= indentOf(line))
    return [length + 2]
  })
}

function embeddedLayerOf(part: string): number {
  return EMBEDDED_LAYERS.findIndex((parts) => parts.some((name) => name === part))
}

function mayImportInEmbedded(from: string, to: string): boolean {
  const [part, other] = [embeddedPartOf(from), embeddedPartOf(to)]
  if (part === undefined || other === undefined || part === other) return true
  // Those of no layer are at the top: they import each other.
  const [layer, otherLayer] = [embeddedLayerOf(part), embeddedLayerOf(other)]
  return otherLayer > layer || (layer < 0 && otherLayer < 0)
}

describe('the source', () => {
  it('is found', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(importsOf('src/index.ts')).toContain('src/client.ts')
    expect(loadedBy('src/index.ts')).toContain('src/client.ts')
  })

  it('imports one way: cli → client → balanced, admin → consumer, producer → cluster → network → protocol', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((imported) => !mayImport(file, imported))
        .map((imported) => `${file} imports ${imported}`),
    )
    expect(wrong).toEqual([])
  })

  it('imports one way inside the embedded cluster: server → handlers → api → groups → cluster → storage → log', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((imported) => !mayImportInEmbedded(file, imported))
        .map((imported) => `${file} imports ${imported}`),
    )
    expect(wrong).toEqual([])
    expect(mayImportInEmbedded('src/embedded/log/x.ts', 'src/embedded/cluster/y.ts')).toBe(false)
  })

  it('keeps dependencies of the command sparse out of topologies', () => {
    const isForSparse = (file: string): boolean =>
      FOR_SPARSE.some((folder) => file.startsWith(folder))
    const wrong = files
      .filter((file) => file.startsWith('src/storm/') && !isForSparse(file))
      .flatMap((file) => importsOf(file).filter(isForSparse))
    expect(wrong).toEqual([])
    expect(files.filter(isForSparse).length).toBeGreaterThan(20)
  })

  it('loads no other command with a command of samsa, so that each starts fast', () => {
    const commands = files.filter((file) => file.startsWith('src/cli/commands/'))
    const wrong = commands.flatMap((file) =>
      loadedBy(file)
        .filter((loaded) => commands.includes(loaded))
        .map((loaded) => `${file} loads ${loaded}`),
    )
    expect(wrong).toEqual([])
    expect(commands.length).toBeGreaterThan(15)
  })

  it('loads groups, share groups, transactions, administration and telemetry when they are first used', () => {
    const start = new Set(['src/index.ts'])
    for (const file of start) for (const loaded of loadedBy(file)) start.add(loaded)
    expect(LOADED_WHEN_USED.filter((file) => start.has(file))).toEqual([])
    expect(LOADED_WHEN_USED.filter((file) => !texts.has(file))).toEqual([])
    expect(start).toContain('src/balanced/balanced-consumer.ts')
  })

  it('exports names one by one, so that nothing becomes public by accident', () => {
    const wholesale = files.filter((file) => /^export \* from/m.test(texts.get(file)!))
    expect(wholesale).toEqual([])
  })

  it('sends requests by the router, half of them in at most ten lines', () => {
    const client = files.filter((file) => !/^src\/(?:cluster|embedded|kafkajs)\//.test(file))
    const sizes = client
      .flatMap((file) => linesOfCalls('router.call', texts.get(file)!))
      .sort((one, other) => one - other)
    expect(sizes.length).toBeGreaterThan(20)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(10)
    expect(sizes.at(-1)).toBeLessThanOrEqual(20)
    // Retries, deadlines and moved targets are the router's.
    expect(client.filter((file) => texts.get(file)!.includes('retrying('))).toEqual([])
    expect(linesOfCalls('call', '  call(1)\n  a.call(\n    1,\n  )\n')).toEqual([1, 3])
  })

  it('imports only files that exist', () => {
    const missing = files.flatMap((file) =>
      importsOf(file).filter((imported) => !texts.has(imported)),
    )
    expect(missing).toEqual([])
  })

  it('has no cycles when it is loaded', () => {
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      const seen = path.indexOf(file)
      if (seen >= 0) cycles.push([...path.slice(seen), file].join(' → '))
      if (seen >= 0 || done.has(file)) return
      for (const imported of loadedBy(file)) visit(imported, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('has no cycles of imports, types included', () => {
    expect(cyclesOf(new Map(files.map((file) => [file, importsOf(file)])))).toEqual([])
  })

  it('is searched for cycles through any number of files', () => {
    const imports = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: [], f: ['f'] }
    expect(cyclesOf(new Map(Object.entries(imports)))).toEqual([['a', 'b', 'c'], ['f']])
  })

  it('does not load rarely used modules at start-up', () => {
    expect(files.flatMap((file) => slowImportsOf(file, texts.get(file)!))).toEqual([])
    expect(slowImportsOf('src/client.ts', "import { request } from 'node:http'\n")).toEqual([
      'src/client.ts imports node:http: load it where it is used, with `await import()`, or import its types only',
    ])
    const crypto =
      "import type { Server } from 'node:tls'\nimport { createHmac } from 'node:crypto'\n"
    expect(slowImportsOf('src/network/sasl/scram.ts', crypto)).toEqual([
      'src/network/sasl/scram.ts imports node:crypto: use cryptoModule of src/builtins.ts',
    ])
    expect(slowImportsOf('src/cli/main.ts', crypto)).toEqual([])
  })

  it('names iterators by Iteration, because TypeScript before 5.6 has no second parameter for them', () => {
    const others = files.filter(
      (file) =>
        file !== 'src/async/iteration.ts' && texts.get(file)!.includes('AsyncIterableIterator<'),
    )
    expect(others).toEqual([])
  })

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    const long = files.filter((file) => texts.get(file)!.split('\n').length > MAX_LINES)
    expect(long).toEqual([])
  })

  it('gives the reason of each check that it silences', () => {
    const silent = files.flatMap((file) =>
      texts
        .get(file)!
        .split('\n')
        .flatMap((line, at, lines) =>
          givesReason(line, lines[at - 1] ?? '') ? [] : [`${file}:${at + 1}: ${line.trim()}`],
        ),
    )
    expect(silent).toEqual([])
    expect(givesReason('// eslint-disable-next-line no-control-regex', '')).toBe(false)
    expect(givesReason('// @ts-expect-error', '// A reason.')).toBe(false)
    expect(givesReason('// prettier-ignore', ' */')).toBe(false)
  })

  it('reports the version of package.json to brokers', () => {
    const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(manifest).toHaveProperty('version', VERSION)
  })
})
