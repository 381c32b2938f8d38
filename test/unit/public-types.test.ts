import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { OPERATIONS } from '../../build/api-report.ts'
import { entryPoints } from '../../build/entry-points.ts'
import { builtCommand } from '../support/built.ts'

const DECLARATIONS = resolve('dist/cjs')

/** Named in public declarations, and not for users: parts of public types that are given no name of their own. */
const UNNAMED: Readonly<Record<string, readonly string[]>> = {
  samsa: [
    // An OutgoingMessage or its value alone, which users write as it is.
    'MessageOrValue',
    // The rows of a table and the fields of a declaration, which samsa/protocol exports.
    ...['Row', 'Api', 'BodyFor', 'Decoded', 'Fields'],
    // In methods that only samsa calls.
    ...['Cluster', 'Deadline', 'BatchSource', 'OutgoingHeader'],
    // Parts of a type with a name.
    ...['Key', 'Produce', 'HeaderPair', 'Described'],
    // What consumers of one topic and of several have in common.
    ...['SingleTopicConsumer', 'MultiTopicConsumer'],
    ...['TopicOptions', 'TopicsOptions', 'BalancedReadingOptions', 'MessageError', 'MessageSlice'],
    // The options that `getTransactionalProducer` leaves out.
    'DecidedOption',
    // Type arguments of base classes, and the register of what a client has opened: only samsa uses them.
    ...['BalancedMember', 'FixedAssignment', 'OpenRegister'],
  ],
  'samsa/embedded': [
    ...['ErrorName', 'KafkaError', 'KeeperCode', 'Identity'],
    // In methods that only the embedded brokers call.
    ...['ActiveFault', 'ActiveZooKeeperFault', 'FaultTarget', 'ZooKeeperFaultTarget'],
  ],
  // kafkajs names these, and does not export them either.
  'samsa/kafkajs': [
    ...['MessageSetEntry', 'RecordBatchEntry', 'SASLMechanismOptionsMap', 'IBatchProcessEvent'],
    ...['SaslAuthenticationRequest', 'SaslAuthenticationResponse'],
    // Optional arguments of the constructors of errors.
    ...['Cause', 'Registry'],
  ],
  'samsa/storm': [
    // Where the types of declarations are computed; users write the declarations.
    ...[
      'AnyFields',
      'AnyFields$1',
      'AnyFields$2',
      'AnyFields$3',
      'Declaration',
      'Empty',
      'FieldsOf',
    ],
    // Records of declarations, which are exported, and what `defineTopology` checks of them.
    ...['Bolts', 'CheckedBolts', 'Spouts', 'CheckedSpouts'],
    // What SpoutClass and BoltClass, which are exported, have in common.
    'ClassOf',
    // In members that only samsa uses.
    'Outgoing',
  ],
  'samsa/protocol': [
    // In declarations of this package: how thousands of structs are decoded faster.
    'FastReader',
    'Row',
    'Codes',
    'MessageSchema',
    'OptionalNames',
    'PrimitiveName',
    'UnknownTaggedFields',
  ],
}

describe.each(entryPoints())('$specifier', ({ specifier, source }) => {
  let checker: ts.TypeChecker
  let exported: ReadonlySet<ts.Symbol>
  /** What this entry point exports, and what those export that it imports, as samsa/storm does samsa. */
  let named: ReadonlySet<ts.Symbol>

  beforeAll(() => {
    builtCommand()
    const root = join(DECLARATIONS, source.replace(/\.ts$/, '.d.ts'))
    const program = ts.createProgram([root], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      types: ['node'],
      skipLibCheck: true,
    })
    checker = program.getTypeChecker()
    const module = checker.getSymbolAtLocation(program.getSourceFile(root)!)!
    exported = new Set(checker.getExportsOfModule(module).map(original))
    const others = entryPoints()
      .map((other) =>
        program.getSourceFile(join(DECLARATIONS, other.source.replace(/\.ts$/, '.d.ts'))),
      )
      .flatMap((file) => (file === undefined ? [] : checker.getSymbolAtLocation(file)!))
      .flatMap((other) => checker.getExportsOfModule(other).map(original))
    named = new Set([...exported, ...others])
  })

  it('exports every type that its public declarations name', () => {
    const missing = new Set<string>()
    const visit = (node: ts.Node): void => {
      if (isForOthers(node)) return
      const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined
      const found = symbol === undefined ? undefined : original(symbol)
      if (found !== undefined && isOwnType(found) && !named.has(found)) missing.add(found.name)
      ts.forEachChild(node, visit)
    }
    for (const { declarations = [] } of exported) declarations.forEach(visit)
    const forUsers = [...missing].filter((name) => !UNNAMED[specifier]!.includes(name)).sort()
    if (forUsers.length === 0) return
    throw new Error(
      `Export ${forUsers.join(', ')} from ${source}, or name them in UNNAMED above with the reason`,
    )
  })

  function original(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  }
})

describe('samsa', () => {
  it('exports the payload of every diagnostics channel', () => {
    const text = readFileSync('src/observe/channels.ts', 'utf8')
    const events = [...text.matchAll(/^export interface (\w+Event) /gm)].map(([, name]) => name!)
    expect(events.length).toBeGreaterThan(6)
    const index = readFileSync('src/index.ts', 'utf8')
    expect(events.filter((name) => !new RegExp(`\\b${name}\\b`).test(index))).toEqual([])
  })
})

/** Constructors that only samsa calls, and what is private or protected. */
function isForOthers(node: ts.Node): boolean {
  if (ts.isConstructorDeclaration(node)) return true
  if (!ts.isClassElement(node)) return false
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  return (ts.getCombinedModifierFlags(node) & hidden) !== 0
}

/**
 * A type that a file of samsa declares at its top level: not a parameter of a type, nor one of Node.js, nor an area of the
 * admin client, whose operations users find in `client.admin`.
 */
function isOwnType({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some(
    (declaration) =>
      !OPERATIONS.test(declaration.getText().replace(/^export (?:declare )?/, '')) &&
      (ts.isInterfaceDeclaration(declaration) ||
        ts.isTypeAliasDeclaration(declaration) ||
        ts.isClassDeclaration(declaration)) &&
      declaration.getSourceFile().fileName.startsWith(DECLARATIONS),
  )
}
