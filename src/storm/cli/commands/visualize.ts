import type { Command } from 'commander'
import { writeFile } from 'node:fs/promises'
import { option } from '../../../terminal/arguments.ts'
import { declare } from '../command.ts'
import { UsageError } from '../../../terminal/failure.ts'
import { graphOf, toDot } from '../graph.ts'
import { toSvg } from '../graph-svg.ts'

const FORMATS = ['dot', 'svg']

export function visualizeCommand(sparse: Command): void {
  declare<{ readonly format?: string; readonly output?: string }>(sparse, {
    name: 'visualize',
    summary: "draw a topology's components and streams, as DOT (Graphviz) or SVG",
    has: ['environment', 'topology'],
    options: [
      option(
        '-f, --format <format>',
        'dot or svg (default: from the name of the file, otherwise dot)',
      ).choices(FORMATS),
      option('-O, --output <file>', 'file to write (default: standard output)'),
    ],
    examples: ['sparse visualize -O wordcount.svg', 'sparse visualize | dot -Tpng > wordcount.png'],
    run: async (session, { format, output }) => {
      const ending = output === undefined ? 'dot' : /\.(\w+)$/.exec(output)?.[1]
      const wanted = format ?? ending ?? 'dot'
      if (!FORMATS.includes(wanted)) {
        throw new UsageError(`${wanted} is not a format of visualize: use -f dot or -f svg`)
      }
      const graph = graphOf(await session.package(session.environmentIfAny, false))
      const text = wanted === 'svg' ? toSvg(graph) : toDot(graph)
      if (output === undefined) process.stdout.write(text)
      else await writeFile(output, text)
    },
  })
}
