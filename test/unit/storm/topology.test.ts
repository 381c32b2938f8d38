/** streamparse's tests of its DSL (test_dsl.py), where they apply, and what they lack. */
import { describe, expect, it } from '@jest/globals'
import {
  all,
  Bolt,
  customGrouping,
  direct,
  directStream,
  fields,
  global,
  javaComponent,
  localOrShuffle,
  none,
  serializedComponent,
  serializedGrouping,
  shellComponent,
  shuffle,
  Spout,
  stream,
  Topology,
  type Grouping,
} from '../../../src/storm/index.ts'
import type { Bolts, Spouts } from '../../../src/storm/topology/declarations.ts'

class WordSpout extends Spout {
  static readonly outputs = ['word']
  override nextTuple(): void {}
}
class WordCountBolt extends Bolt {
  static readonly outputs = ['word', 'count']
  override process(): void {}
}
class MultiStreamBolt extends Bolt {
  static readonly outputs = { default: ['word', 'count'], sum: stream('all_word_count') }
  override process(): void {}
}
class DatabaseDumperBolt extends Bolt {
  static readonly outputs = []
  override process(): void {}
}

const words = { component: WordSpout }
const counts = { component: WordCountBolt, inputs: { words: fields('word') } }

/** Past the compiler, as from JavaScript. */
function topology(spouts: object, bolts: object = {}, more: object = {}): Topology {
  return new Topology({
    name: 'word_count',
    spouts: spouts as Spouts,
    bolts: bolts as Bolts,
    ...more,
  })
}

const inputsOf = (of: Topology, bolt: string) => of.toStorm().bolts[bolt]!.common.inputs
const from = (componentId: string, streamId = 'default') => ({ componentId, streamId })

describe('a topology', () => {
  it('has its components with parallelism and groupings', () => {
    const made = topology(
      { words: { ...words, parallelism: 2 } },
      { counts: { ...counts, parallelism: 8 } },
    )
    expect(made.components).toHaveLength(2)
    expect(made.toStorm().spouts['words']!.common.parallelism_hint).toBe(2)
    expect(made.toStorm().bolts['counts']!.common.parallelism_hint).toBe(8)
    expect(inputsOf(made, 'counts')).toEqual([[from('words'), { fields: ['word'] }]])
  })

  it('shuffles inputs that are a list', () => {
    const made = topology({ words }, { counts: { ...counts, inputs: ['words'] } })
    expect(inputsOf(made, 'counts')).toEqual([[from('words'), { shuffle: {} }]])
  })

  it('has bolts that take several streams of another component', () => {
    const made = topology(
      { words },
      {
        counts: { component: MultiStreamBolt, inputs: ['words'] },
        dumper: { component: DatabaseDumperBolt, inputs: ['counts:sum', 'counts'], parallelism: 4 },
      },
    )
    expect(inputsOf(made, 'dumper')).toEqual([
      [from('counts', 'sum'), { shuffle: {} }],
      [from('counts'), { shuffle: {} }],
    ])
    expect(made.toStorm().bolts['counts']!.common.streams).toEqual({
      default: { output_fields: ['word', 'count'], direct: false },
      sum: { output_fields: ['all_word_count'], direct: false },
    })
  })

  it('has long chains of bolts', () => {
    const names = Array.from({ length: 12 }, (_, index) => `bolt${index}`)
    const bolts = names.map((name, index) => [
      name,
      { component: WordCountBolt, inputs: [index === 0 ? 'words' : names[index - 1]!] },
    ])
    const made = topology({ words }, Object.fromEntries(bolts) as object)
    expect(made.components).toHaveLength(13)
    for (const [index, name] of names.entries()) {
      const before = index === 0 ? 'words' : names[index - 1]!
      expect(inputsOf(made, name)).toEqual([[from(before), { shuffle: {} }]])
    }
  })

  it('has many spouts', () => {
    const made = topology(
      { a: words, b: words, c: words },
      { counts: { ...counts, inputs: ['a', 'b', 'c'] } },
    )
    expect(inputsOf(made, 'counts')).toHaveLength(3)
  })

  it.each<[string, Grouping, object]>([
    ['shuffle', shuffle(), { shuffle: {} }],
    ['localOrShuffle', localOrShuffle(), { local_or_shuffle: {} }],
    ['all', all(), { all: {} }],
    ['none', none(), { none: {} }],
    ['global', global(), { fields: [] }],
    ['fields', fields('word'), { fields: ['word'] }],
    [
      'a custom object',
      customGrouping('G', 'a'),
      { custom_object: { full_class_name: 'G', args_list: [{ string_arg: 'a' }] } },
    ],
    [
      'a serialized object',
      serializedGrouping(Buffer.from('a')),
      { custom_serialized: Buffer.from('a') },
    ],
  ])('groups by %s', (_, grouping, expected) => {
    const made = topology({ words }, { counts: { ...counts, inputs: { words: grouping } } })
    expect(inputsOf(made, 'counts')).toEqual([[from('words'), expected]])
  })

  it('groups direct streams directly, also in a list', () => {
    class Router extends Bolt {
      static readonly outputs = { default: directStream('word') }
      override process(): void {}
    }
    const router = { component: Router, inputs: ['words'] }
    const made = topology(
      { words },
      {
        router,
        a: { ...counts, inputs: ['router'] },
        b: { ...counts, inputs: { router: direct() } },
      },
    )
    expect(inputsOf(made, 'a')).toEqual([[from('router'), { direct: {} }]])
    expect(inputsOf(made, 'b')).toEqual([[from('router'), { direct: {} }]])
    expect(() =>
      topology({ words }, { router, a: { ...counts, inputs: { router: shuffle() } } }),
    ).toThrow('is a direct stream')
    expect(() => topology({ words }, { a: { ...counts, inputs: { words: direct() } } })).toThrow(
      'is not a direct stream',
    )
  })

  class Pointless extends Spout {
    static readonly outputs = []
    override nextTuple(): void {}
  }
  class Undeclared extends Spout {
    override nextTuple(): void {}
  }
  class BadField extends Spout {
    static readonly outputs = ['foo', 2]
    override nextTuple(): void {}
  }
  class BadOutputs extends Spout {
    static readonly outputs = 'foo'
    override nextTuple(): void {}
  }

  class NoComponent {
    static readonly outputs = ['word']
    readonly word = ''
  }

  it.each<[string, object, object, string]>([
    [
      'a field that its input does not have',
      { words },
      { counts: { ...counts, inputs: { words: fields('foo') } } },
      "by 'foo'",
    ],
    [
      'a grouping by no fields',
      { words },
      { counts: { ...counts, inputs: { words: { type: 'fields', fields: [] } } } },
      'by no fields',
    ],
    [
      'a name that is used twice',
      { words },
      { words: { ...counts, inputs: ['words'] } },
      'both a spout and a bolt',
    ],
    [
      'a bolt without inputs',
      { words },
      { counts: { component: WordCountBolt, inputs: [] } },
      'at least one input',
    ],
    ['a spout whose outputs are empty', { words: { component: Pointless } }, {}, 'has no outputs'],
    ['a spout without outputs', { words: { component: Undeclared } }, {}, 'has no outputs'],
    [
      'a class that is no component',
      {
        words: {
          component: NoComponent,
        },
      },
      {},
      'extends Spout',
    ],
    [
      'a component instead of its class',
      { words: { component: new WordSpout() } },
      {},
      'use the class',
    ],
    ['no component', { words: {} }, {}, 'has no component'],
    ['no spout', {}, {}, 'at least one spout'],
    ['a parallelism of 0', { words: { ...words, parallelism: 0 } }, {}, 'at least 1'],
    ['a negative parallelism', { words: { ...words, parallelism: -1 } }, {}, 'at least 1'],
    [
      'a parallelism that is not whole',
      { words: { ...words, parallelism: 5.4 } },
      {},
      'at least 1',
    ],
    [
      'a parallelism by environment that is not whole',
      { words: { ...words, parallelism: { prod: 5.5 } } },
      {},
      'at least 1',
    ],
    [
      'a grouping that is none',
      { words },
      { counts: { ...counts, inputs: { words: 'word' } } },
      'has no grouping',
    ],
    ['inputs that are text', { words }, { counts: { ...counts, inputs: 'words' } }, 'inputs'],
    [
      'a config that is text',
      { words },
      { counts: { ...counts, config: '{"foo": "bar"}' } },
      'must be an object',
    ],
    [
      'a field name that is none',
      { words: { component: BadField } },
      {},
      'each field of a stream must be a non-empty string',
    ],
    ['outputs that are text', { words: { component: BadOutputs } }, {}, 'outputs must be'],
    [
      'a stream that does not exist',
      { words },
      { counts: { ...counts, inputs: ['words:word'] } },
      "no stream 'word'",
    ],
    [
      'an input that does not exist',
      { words },
      { counts: { ...counts, inputs: ['wrods'] } },
      "no component 'wrods'",
    ],
    ['a name that Storm splits', { 'a:b': words }, {}, 'is not a valid name'],
  ])('rejects %s', (_, spouts, bolts, message) => {
    expect(() => topology(spouts, bolts)).toThrow(message)
  })

  it('rejects a config of its own that is text, and a name with spaces', () => {
    expect(() => topology({ words }, {}, { config: '{"foo": "bar"}' })).toThrow('must be an object')
    expect(() => topology({ words }, {}, { name: 'a b' })).toThrow('must have a name')
  })

  it('has parallelism and settings by environment', () => {
    const made = topology(
      { words: { ...words, parallelism: { prod: 5, beta: 1 } } },
      {},
      {
        config: { 'topology.workers': 1, 'topology.debug': true },
        environments: { prod: { config: { 'topology.workers': 4 } } },
      },
    )
    expect(made.toStorm({ environment: 'prod' }).spouts['words']!.common.parallelism_hint).toBe(5)
    expect(made.config('prod')).toEqual({ 'topology.workers': 4, 'topology.debug': true })
    expect(made.config('beta')).toEqual({ 'topology.workers': 1, 'topology.debug': true })
    expect(() => made.toStorm({ environment: 'test' })).toThrow(
      "'words' has no parallelism for the environment 'test'; it has prod, beta",
    )
  })

  it.each(['spout', 'bolt'] as const)('has a %s of another language', (kind) => {
    const perl = shellComponent({ command: 'perl', script: 'count_words.pl', outputs: ['word'] })
    const isSpout = kind === 'spout'
    const made = topology(
      { words: isSpout ? { component: perl } : words },
      { counts: isSpout ? counts : { ...counts, component: perl } },
    ).toStorm()
    const shell = { shell: { execution_command: 'perl', script: 'count_words.pl' } }
    const of = isSpout ? made.spouts['words']!.spout_object : made.bolts['counts']!.bolt_object
    expect(of).toEqual(shell)
  })

  it('refuses a shell component without a command or without a script', () => {
    const of = (more: object) => ({
      words: { component: { kind: 'shell', command: 'perl', script: '', outputs: ['a'], ...more } },
    })
    expect(() => topology(of({ command: '' }))).toThrow('has no command')
    expect(() => topology(of({ script: undefined }))).toThrow('has no script')
    expect(topology(of({})).components).toHaveLength(1)
  })

  it.each(['spout', 'bolt'] as const)('has a %s of a Java class with arguments', (kind) => {
    const java = javaComponent({
      className: 'com.bar.foo.Words',
      args: ['foo', 1, Buffer.from([9, 16]), true, 3.14159],
      outputs: ['word'],
    })
    const isSpout = kind === 'spout'
    const made = topology(
      { words: isSpout ? { component: java } : words },
      { counts: isSpout ? counts : { ...counts, component: java } },
    ).toStorm()
    const of = isSpout ? made.spouts['words']!.spout_object : made.bolts['counts']!.bolt_object
    expect(of).toEqual({
      java_object: {
        full_class_name: 'com.bar.foo.Words',
        args_list: [
          { string_arg: 'foo' },
          { long_arg: 1n },
          { binary_arg: Buffer.from([9, 16]) },
          { bool_arg: true },
          { double_arg: 3.14159 },
        ],
      },
    })
  })

  it('rejects a Java argument that is not a simple value, and a Java component without a class', () => {
    const of = (more: object) => ({
      words: { component: { kind: 'java', className: 'A', args: [], outputs: ['a'], ...more } },
    })
    expect(() => topology(of({ args: [{ foo: 'bar' }] }))).toThrow(
      'cannot pass to a Java constructor',
    )
    expect(() => topology(of({ className: '' }))).toThrow('has no className')
  })

  it('has serialized Java objects', () => {
    const bytes = Buffer.from([1, 2, 3, 4, 5])
    const made = topology(
      { words: { component: serializedComponent({ bytes, outputs: ['word'] }) } },
      { counts },
    )
    expect(made.toStorm().spouts['words']!.spout_object).toEqual({ serialized_java: bytes })
    expect(() => made.toFlux()).toThrow('Flux does not support serialized Java objects')
  })

  it('is described to Flux as streamparse does', () => {
    const made = topology(
      { words: { ...words, parallelism: 2 } },
      { counts: { ...counts, parallelism: 8 } },
    )
    expect(made.toFlux()).toEqual({
      name: 'word_count',
      spouts: [
        {
          id: 'words',
          className: 'org.apache.storm.flux.wrappers.spouts.FluxShellSpout',
          configMethods: [],
          constructorArgs: [['node', 'topology.cjs'], ['word']],
          parallelism: 2,
        },
      ],
      streams: [
        {
          to: 'counts',
          from: 'words',
          grouping: { streamId: 'default', args: ['word'], type: 'FIELDS' },
        },
      ],
      bolts: [
        {
          id: 'counts',
          className: 'org.apache.storm.flux.wrappers.bolts.FluxShellBolt',
          configMethods: [],
          constructorArgs: [
            ['node', 'topology.cjs'],
            ['word', 'count'],
          ],
          parallelism: 8,
        },
      ],
    })
  })

  it('is described to Flux with named streams, settings, and bolts that emit nothing', () => {
    const made = topology(
      { words },
      {
        counts: {
          component: MultiStreamBolt,
          inputs: ['words'],
          config: { 'topology.tick.tuple.freq.secs': 1 },
        },
        dumper: { component: DatabaseDumperBolt, inputs: { 'counts:sum': global() } },
      },
      { config: { 'topology.workers': 2 } },
    ).toFlux()
    expect(made.config).toEqual({ 'topology.workers': 2 })
    expect(made.bolts![0]!.configMethods).toEqual([
      { name: 'setNamedStream', args: ['sum', ['all_word_count']] },
      { name: 'addComponentConfig', args: ['topology.tick.tuple.freq.secs', 1] },
    ])
    expect(made.bolts![1]!.constructorArgs[1]).toEqual(['NONE_BUT_FLUX_WANTS_SOMETHING_HERE'])
    expect(made.streams![1]!.grouping).toEqual({ streamId: 'sum', type: 'GLOBAL' })
  })
})
