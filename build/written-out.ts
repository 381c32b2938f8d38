import ts from 'typescript'

/** A union of texts that is computed from a constant, as a report of API Extractor writes it: on one line. */
const COMPUTED = /^export type (\w+) = .*\btypeof .*;$/gm

/** The report with the texts of such unions instead of the name of the constant, which the report does not contain. */
export function writtenOut(report: string, unions: ReadonlyMap<string, readonly string[]>): string {
  return report.replace(COMPUTED, (line, name: string) => {
    const texts = unions.get(name)
    return texts === undefined
      ? line
      : `export type ${name} =${texts.map((text) => `\n    | '${text}'`).join('')};`
  })
}

/** The unions of texts that a file of declarations exports, by name. */
export function textUnionsOf(path: string, options: ts.CompilerOptions): Map<string, string[]> {
  const program = ts.createProgram([path], options)
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(path)!)!
  const found = new Map<string, string[]>()
  for (const exported of checker.getExportsOfModule(module)) {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
    if ((symbol.flags & ts.SymbolFlags.TypeAlias) === 0) continue
    const type = checker.getDeclaredTypeOfSymbol(symbol)
    const members = type.isUnion() ? type.types : [type]
    const texts = members.flatMap((member) => (member.isStringLiteral() ? [member.value] : []))
    // In one order, whichever file the compiler has read first.
    if (texts.length === members.length) found.set(exported.name, texts.sort())
  }
  return found
}
