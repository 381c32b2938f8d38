/**
 * Compares values with the types of Grafana's SDK, which Grafana generates from the schemas of its dashboards: names of
 * properties, required ones, types, and values of enums.
 */
import ts from 'typescript'

const SDK = '@grafana/grafana-foundation-sdk'
/** The types that a dashboard of time series consists of. The schema of a panel leaves its kind's parts open. */
const SOURCE = `
import type { Dashboard, Panel, RowPanel, VariableModel } from '${SDK}/dashboard'
import type { Options } from '${SDK}/timeseries'
import type { GraphFieldConfig } from '${SDK}/common'
import type { Dataquery } from '${SDK}/prometheus'
export interface Types {
  dashboard: Dashboard
  row: RowPanel
  panel: Panel
  options: Options
  custom: GraphFieldConfig
  target: Dataquery
  variable: VariableModel
}
`
export type SchemaName =
  'dashboard' | 'row' | 'panel' | 'options' | 'custom' | 'target' | 'variable'

const FILE = 'test/support/documents/grafana-types.ts'

/** Returns a function that returns what is wrong with a value; empty if it has the type. */
export function grafanaSchema(): (name: SchemaName, value: unknown) => string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es5.d.ts'],
    types: [],
  }
  const host = ts.createCompilerHost(options)
  const withSource: ts.CompilerHost = {
    ...host,
    fileExists: (name) => name.endsWith(FILE) || host.fileExists(name),
    getSourceFile: (name, target, ...more) =>
      name.endsWith(FILE)
        ? ts.createSourceFile(name, SOURCE, target)
        : host.getSourceFile(name, target, ...more),
  }
  const program = ts.createProgram([FILE], options, withSource)
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(FILE)!
  const declared = file.statements.find((statement) => ts.isInterfaceDeclaration(statement))!
  const types = checker.getTypeAtLocation(declared)
  return (name, value) => {
    const type = checker.getTypeOfSymbol(types.getProperty(name)!)
    // A module that was not found has the type any, which would allow everything.
    if ((type.flags & ts.TypeFlags.Any) !== 0) throw new Error(`${SDK} has no type for ${name}`)
    return problems(checker, checker.getNonNullableType(type), value, name)
  }
}

function problems(checker: ts.TypeChecker, type: ts.Type, value: unknown, path: string): string[] {
  if ((type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0) return []
  if (type.isUnion()) {
    const found = type.types.map((one) => problems(checker, one, value, path))
    return found.some(({ length }) => length === 0)
      ? []
      : found.reduce((least, one) => (one.length < least.length ? one : least))
  }
  if (type.isStringLiteral() || type.isNumberLiteral()) {
    return type.value === value ? [] : [`${path}: ${type.value} expected`]
  }
  if ((type.flags & ts.TypeFlags.BooleanLiteral) !== 0) {
    return String(value) === checker.typeToString(type) ? [] : [`${path}: boolean expected`]
  }
  const primitive = PRIMITIVES.find(([flag]) => (type.flags & flag) !== 0)
  if (primitive !== undefined) {
    return typeof value === primitive[1] ? [] : [`${path}: ${primitive[1]} expected`]
  }
  if (typeof value !== 'object' || value === null) return [`${path}: object expected`]
  const element = checker.typeToString(type).endsWith('[]') ? elementOf(checker, type) : undefined
  if (element !== undefined) {
    if (!Array.isArray(value)) return [`${path}: array expected`]
    return value.flatMap((one, at) => problems(checker, element, one, `${path}[${at}]`))
  }
  const index = type.getStringIndexType()
  const unknown = Object.entries(value).flatMap(([key, one]) => {
    const property = type.getProperty(key)
    const of = property === undefined ? index : checker.getTypeOfSymbol(property)
    return of === undefined
      ? [`${path}.${key}: no such property`]
      : problems(checker, checker.getNonNullableType(of), one, `${path}.${key}`)
  })
  const missing = type
    .getProperties()
    .filter(({ flags }) => (flags & (ts.SymbolFlags.Optional | ts.SymbolFlags.Method)) === 0)
    .filter((property) => !(property.name in value))
    .map((property) => `${path}.${property.name}: missing`)
  return [...unknown, ...missing]
}

const PRIMITIVES = [
  [ts.TypeFlags.String, 'string'],
  [ts.TypeFlags.Number, 'number'],
  [ts.TypeFlags.Boolean, 'boolean'],
] as const

function elementOf(checker: ts.TypeChecker, type: ts.Type): ts.Type | undefined {
  return checker.getTypeArguments(type as ts.TypeReference)[0]
}
