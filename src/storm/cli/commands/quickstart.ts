import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { option } from '../../../terminal/arguments.ts'
import { declare } from '../command.ts'
import { UsageError } from '../../../terminal/failure.ts'
import { projectFiles } from '../project-template.ts'

export function quickstartCommand(sparse: Command): void {
  declare<{ readonly kafka?: boolean }>(sparse, {
    name: 'quickstart <folder>',
    summary: "create a project with a word count; '.' creates it in the current folder",
    has: [],
    options: [
      option('--kafka', 'count the words of a Kafka topic, and produce the counts to another'),
    ],
    examples: ['sparse quickstart wordcount', 'sparse quickstart . --kafka'],
    run: async (session, { kafka = false }, [folder = '']) => {
      const name = basename(resolve(folder))
      if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name)) {
        throw new UsageError(
          `'${name}' cannot be the name of a project: use letters, digits, '-' and '_'`,
        )
      }
      const isHere = resolve(folder) === process.cwd()
      if (!isHere && existsSync(folder) && (await readdir(folder)).length > 0) {
        throw new UsageError(`the folder ${folder} is not empty`)
      }
      const files = projectFiles(name, kafka)
      // An existing project has its own file.
      const kept = ['package.json', '.gitignore', 'tsconfig.json']
      const exists = (path: string): boolean => existsSync(join(folder, path))
      const clash = Object.keys(files).find((path) => exists(path) && !kept.includes(path))
      if (clash !== undefined) throw new UsageError(`${join(folder, clash)} already exists`)
      for (const [path, text] of Object.entries(files)) {
        if (exists(path)) continue
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await writeFile(join(folder, path), text)
        session.note(`  ${join(folder, path)}`)
      }
      const steps = isHere ? [] : [`cd ${folder}`, 'npm install']
      session.note(`Next: ${[...steps, 'npx sparse storm install', 'npx sparse run'].join(' && ')}`)
    },
  })
}
