import type { Command } from 'commander'
import { writeFile } from 'node:fs/promises'
import { option } from '../../../terminal/arguments.ts'
import { declare } from '../command.ts'

export function jarCommand(sparse: Command): void {
  declare<{ readonly output?: string }>(sparse, {
    name: 'jar',
    summary: 'write the jar that would be submitted',
    has: ['environment', 'topology', 'output'],
    options: [option('-O, --output <file>', 'file to write (default: NAME.jar)')],
    examples: ['sparse jar -n wordcount -O wordcount.jar'],
    run: async (session, options) => {
      const { name, jar } = await session.package(session.environmentIfAny)
      const file = options.output ?? `${name}.jar`
      await writeFile(file, jar)
      session.report({ file, bytes: jar.length }, `${file}: ${jar.length} bytes`)
    },
  })
}
