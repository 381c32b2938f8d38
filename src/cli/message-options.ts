/**
 * Options that several commands for messages share. Each of those commands loads this file, and no
 * other command does.
 */
import { InvalidArgumentError, Option } from 'commander'
import { append, option, positive } from './command.ts'
import { ENCODING_NAMES } from './encodings.ts'

/** The options of `consume` and `mirror` that choose messages. */
export const FILTER_OPTIONS = () => [
  option('--grep <text>', 'only messages whose key or value contains this text'),
  option('--filter-key <text>', 'only messages with this key; * matches any text'),
  option('--filter-value <text>', 'only messages with this value; * matches any text'),
  option(
    '--filter-header <key=value>',
    'only messages with this header; can be repeated',
  ).argParser(append),
  option(
    '--filter <expression>',
    'only messages that satisfy this JavaScript, such as value.status>=500',
  ),
]

/** The options of `consume` and `share` that choose how a message is printed, besides its format. */
export const PRINT_OPTIONS = () => [
  option('-J, --json', 'print one JSON object per line'),
  option('-K, --key-separator <text>', 'print the key and this text before each value'),
  option('-D, --delimiter <text>', 'text to print after each value').default(undefined, '\\n'),
  option('-O, --offsets', 'print the offset before each value'),
  option('-Z, --null', 'print NULL for null keys and values'),
  option('--key <encoding>', `how to print keys: ${ENCODING_NAMES.join(', ')}`),
  option('--value <encoding>', 'how to print values: the same'),
]

/**
 * Letters of kcat that change nothing here, or are another spelling, so that kcat's command lines
 * work.
 */
export const KCAT_OPTIONS = () => [
  option('-t, --topic <name>', 'the topic').argParser(append).hideHelp(),
  option('-q, --quiet', 'without effect').hideHelp(),
  option('-u, --unbuffered', 'without effect').hideHelp(),
  option('-E, --no-exit-on-error', 'without effect').hideHelp(),
  option('-m, --metadata-timeout <seconds>', 'as --timeout').argParser(positive).hideHelp(),
  option('-d, --debug <list>', 'as --verbose').hideHelp(),
  option('-r, --registry <url>', 'refused').argParser(refuseRegistry).hideHelp(),
]

function refuseRegistry(): never {
  throw new InvalidArgumentError(
    'samsa does not use a schema registry; --value has other encodings.',
  )
}

export const COMPRESSION_OPTION = () =>
  new Option('-z, --compression <codec>', 'compression codec for batches')
    .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    .default('none')

export const ACKS_OPTION = () =>
  new Option('--acks <acks>', 'acknowledgements required: 0, 1 (leader) or all (in-sync replicas)')
    .argParser(acks)
    .default(-1, 'all')

function acks(text: string): -1 | 0 | 1 {
  if (text === 'all' || text === '-1') return -1
  if (text === '0' || text === '1') return text === '0' ? 0 : 1
  throw new InvalidArgumentError('It must be 0, 1 or all.')
}
