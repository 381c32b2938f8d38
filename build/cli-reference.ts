/**
 * `npm run docs:cli` writes the reference of the command into docs/cli.md, from the same declarations as `--help`.
 * A test compares them.
 */
import type { Argument, Command, Option } from 'commander'
import { allCommands, fullProgram } from '../src/cli/program.ts'
import { updateDocuments } from './generated-document.ts'

const CLI_DOCUMENT = 'docs/cli.md'
const MARK = '<!-- reference: written by npm run docs:cli -->'
/** The groups of options that many commands have, described once. */
const COMMON = ['Connection:', 'Output:', 'Changes:']

/** The document with the reference of today. */
async function withReference(document: string): Promise<string> {
  const [text] = document.split(MARK)
  return `${text!.trimEnd()}\n\n${MARK}\n\n${await reference()}`
}

async function reference(): Promise<string> {
  const commands = allCommands(await fullProgram()).filter(
    (command) => command.commands.length === 0 && !command.name().startsWith('_'),
  )
  const common = new Map(
    COMMON.map((group) => [
      group,
      new Map(
        commands
          .flatMap((command) => command.options)
          .filter(({ helpGroupHeading, hidden }) => helpGroupHeading === group && !hidden)
          .map((option) => [option.flags, option]),
      ),
    ]),
  )
  return [
    '## Reference',
    ...[...common].flatMap(([group, options]) => [
      `### ${group.replace(':', '')} options`,
      table([...options.values()].map(optionRow)),
    ]),
    ...commands.flatMap(sectionOf),
  ].join('\n\n')
}

function sectionOf(command: Command): string[] {
  const own = command.options.filter(
    ({ helpGroupHeading, hidden }) => !hidden && !COMMON.includes(helpGroupHeading ?? ''),
  )
  const groups = COMMON.filter((group) =>
    command.options.some(({ helpGroupHeading }) => helpGroupHeading === group),
  ).map((group) => group.replace(':', '').toLowerCase())
  const described = command.registeredArguments.filter(({ description }) => description !== '')
  const rows = [...described.map(argumentRow), ...own.map(optionRow)]
  const summary = command.description()
  return [
    `### ${usageOf(command)}`,
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    ...(rows.length === 0 ? [] : [table(rows)]),
    ...(groups.length === 0 ? [] : [`Also: ${groups.join(', ')} options.`]),
  ]
}

function usageOf(command: Command): string {
  const names: string[] = []
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name())
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name().toUpperCase()}${argument.variadic ? '…' : ''}`
    return argument.required ? name : `[${name}]`
  })
  return [...names, ...words].join(' ')
}

function argumentRow(argument: Argument): [string, string] {
  return [`\`${argument.name().toUpperCase()}\``, argument.description]
}

function optionRow({
  flags,
  description,
  defaultValue,
  defaultValueDescription,
  argChoices,
}: Option): [string, string] {
  const shown = defaultValueDescription ?? (defaultValue === undefined ? '' : String(defaultValue))
  const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`
  const preset = shown === '' ? '' : ` (default: ${shown})`
  return [`\`${flags}\``, `${description}${choices}${preset}`]
}

function table(rows: readonly (readonly [string, string])[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '\\<')
  return [
    '| | |',
    '| --- | --- |',
    ...rows.map(([flags, text]) => `| ${flags.replaceAll('|', '\\|')} | ${cell(text)} |`),
  ].join('\n')
}

await updateDocuments([CLI_DOCUMENT], withReference)
