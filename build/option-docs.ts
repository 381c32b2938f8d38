/**
 * The tables of options in the documents: what an option means comes from the docstring of its interface, the default
 * from its option table. A section of a document stands between `<!-- options: NAME -->` and `<!-- /options -->`.
 */
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { BALANCED_TOPICS_OPTIONS } from '../src/balanced/balanced-topics-consumer.ts'
import { TOPIC_OPTIONS } from '../src/balanced/balanced-consumer.ts'
import { TRANSACT_OPTIONS } from '../src/balanced/transact.ts'
import { GROUP_OPTIONS } from '../src/balanced/classic/settings.ts'
import { CONSUMER_GROUP_OPTIONS } from '../src/balanced/consumer/settings.ts'
import { REBALANCE_OPTIONS } from '../src/balanced/options.ts'
import { GROUP_PROTOCOL_CHOICE } from '../src/balanced/protocols.ts'
import { ZOOKEEPER_OPTIONS } from '../src/balanced/zookeeper/options.ts'
import { WAIT_OPTIONS } from '../src/async/waiting.ts'
import { CALL_OPTIONS } from '../src/call-options.ts'
import { CLIENT_OPTIONS } from '../src/client-options.ts'
import { METRICS_OPTIONS } from '../src/client.ts'
import { APPLICATION_METRIC } from '../src/observe/telemetry/application-metrics.ts'
import { TOPICS_CONSUMER_OPTIONS } from '../src/consumer/consumer.ts'
import { BATCH_OPTIONS, RUN_OPTIONS } from '../src/consumer/delivery/run.ts'
import { CONSUME_OPTIONS, READ_OPTIONS } from '../src/consumer/delivery/read-options.ts'
import { CONSUMER_OPTIONS } from '../src/consumer/options.ts'
import { SIMPLE_CONSUMER_OPTIONS } from '../src/consumer/simple-consumer.ts'
import { DEAD_LETTER_OPTIONS } from '../src/dead-letters.ts'
import { EMBEDDED_AUTHORIZER_OPTIONS } from '../src/embedded/authorization/authorizer.ts'
import {
  EMBEDDED_CLUSTER_OPTIONS,
  EMBEDDED_LISTENER_OPTIONS,
  EMBEDDED_TOPIC_OPTIONS,
} from '../src/embedded/options.ts'
import { EMBEDDED_SASL_OPTIONS, EMBEDDED_TLS_OPTIONS } from '../src/embedded/security/options.ts'
import { EMBEDDED_ZOOKEEPER_OPTIONS } from '../src/embedded/zookeeper/options.ts'
import {
  AWS_MSK_IAM_OPTIONS,
  OIDC_OPTIONS,
  PLAIN_OPTIONS,
  SCRAM_OPTIONS,
} from '../src/network/sasl/options.ts'
import { TLS_OPTIONS } from '../src/network/tls.ts'
import { COORDINATOR_OPTIONS } from '../src/kafka-cluster.ts'
import { OFFSET_LIMITS_OPTIONS } from '../src/offset-at.ts'
import { INSTRUMENT_OPTIONS } from '../src/opentelemetry/instrument.ts'
import type { AnyOptionTable, Option } from '../src/option-table.ts'
import { FORWARDING_OPTIONS } from '../src/producer/base-producer.ts'
import { REQUEST_OPTIONS } from '../src/request.ts'
import { TOPIC_CREATE_OPTIONS } from '../src/topic.ts'
import { TOPIC_LIST_OPTIONS } from '../src/topics.ts'
import { SHARE_CONSUMER_OPTIONS, SHARE_RUN_OPTIONS } from '../src/share/options.ts'
import { PRODUCER_OPTIONS } from '../src/producer/options.ts'
import { TRANSACTIONAL_OPTIONS } from '../src/producer/transactions/options.ts'
import { ADMIN_OPTION_SECTIONS } from './admin-option-sections.ts'

interface Section {
  readonly document: string
  /** The source of the interface or type that has the docstrings. */
  readonly source: string
  readonly table: AnyOptionTable
}

/** Every table of options, by the name of the interface or type that users see. */
export const OPTION_SECTIONS: Readonly<Record<string, Section>> = {
  ...ADMIN_OPTION_SECTIONS,
  KafkaClientOptions: {
    document: 'docs/client.md',
    source: 'src/client-options.ts',
    table: CLIENT_OPTIONS,
  },
  CallOptions: {
    document: 'docs/client.md',
    source: 'src/call-options.ts',
    table: CALL_OPTIONS,
  },
  WaitOptions: {
    document: 'docs/client.md',
    source: 'src/async/waiting.ts',
    table: WAIT_OPTIONS,
  },
  TopicListOptions: {
    document: 'docs/client.md',
    source: 'src/topics.ts',
    table: TOPIC_LIST_OPTIONS,
  },
  TopicCreateOptions: {
    document: 'docs/client.md',
    source: 'src/topic.ts',
    table: TOPIC_CREATE_OPTIONS,
  },
  RequestOptions: {
    document: 'docs/requests.md',
    source: 'src/request.ts',
    table: REQUEST_OPTIONS,
  },
  CoordinatorOptions: {
    document: 'docs/client.md',
    source: 'src/kafka-cluster.ts',
    table: COORDINATOR_OPTIONS,
  },
  TransactOptions: {
    document: 'docs/transactions.md',
    source: 'src/balanced/transact.ts',
    table: TRANSACT_OPTIONS,
  },
  ConsumeOptions: {
    document: 'docs/consumer.md',
    source: 'src/consumer/delivery/read-options.ts',
    table: CONSUME_OPTIONS,
  },
  ReadOptions: {
    document: 'docs/consumer.md',
    source: 'src/consumer/delivery/read-options.ts',
    table: READ_OPTIONS,
  },
  TlsOptions: { document: 'docs/security.md', source: 'src/network/tls.ts', table: TLS_OPTIONS },
  PlainOptions: {
    document: 'docs/security.md',
    source: 'src/network/sasl/plain.ts',
    table: PLAIN_OPTIONS,
  },
  ScramOptions: {
    document: 'docs/security.md',
    source: 'src/network/sasl/scram.ts',
    table: SCRAM_OPTIONS,
  },
  OidcOptions: {
    document: 'docs/security.md',
    source: 'src/network/sasl/oidc.ts',
    table: OIDC_OPTIONS,
  },
  AwsMskIamOptions: {
    document: 'docs/security.md',
    source: 'src/network/sasl/aws-msk-iam.ts',
    table: AWS_MSK_IAM_OPTIONS,
  },
  ProducerOptions: {
    document: 'docs/producer.md',
    source: 'src/producer/options.ts',
    table: PRODUCER_OPTIONS,
  },
  TransactionalProducerOptions: {
    document: 'docs/transactions.md',
    source: 'src/producer/transactions/options.ts',
    table: TRANSACTIONAL_OPTIONS,
  },
  ConsumerOptions: {
    document: 'docs/consumer.md',
    source: 'src/consumer/options.ts',
    table: CONSUMER_OPTIONS,
  },
  SimpleConsumerOptions: {
    document: 'docs/consumer.md',
    source: 'src/consumer/simple-consumer.ts',
    table: SIMPLE_CONSUMER_OPTIONS,
  },
  TopicsConsumerOptions: {
    document: 'docs/consumer.md',
    source: 'src/consumer/consumer.ts',
    table: TOPICS_CONSUMER_OPTIONS,
  },
  RunOptions: {
    document: 'docs/consumer.md',
    source: 'src/consumer/delivery/run.ts',
    table: RUN_OPTIONS,
  },
  BatchRunOptions: {
    document: 'docs/consumer.md',
    source: 'src/consumer/delivery/run.ts',
    table: BATCH_OPTIONS,
  },
  DeadLetterOptions: {
    document: 'docs/consumer.md',
    source: 'src/dead-letters.ts',
    table: DEAD_LETTER_OPTIONS,
  },
  ShareConsumerOptions: {
    document: 'docs/share-consumer.md',
    source: 'src/share/options.ts',
    table: SHARE_CONSUMER_OPTIONS,
  },
  ShareRunOptions: {
    document: 'docs/share-consumer.md',
    source: 'src/share/options.ts',
    table: SHARE_RUN_OPTIONS,
  },
  RebalanceOptions: {
    document: 'docs/balanced-consumer.md',
    source: 'src/balanced/options.ts',
    table: REBALANCE_OPTIONS,
  },
  TopicOptions: {
    document: 'docs/balanced-consumer.md',
    source: 'src/balanced/balanced-consumer.ts',
    table: TOPIC_OPTIONS,
  },
  TopicsOptions: {
    document: 'docs/balanced-consumer.md',
    source: 'src/balanced/balanced-topics-consumer.ts',
    table: BALANCED_TOPICS_OPTIONS,
  },
  GroupProtocolChoice: {
    document: 'docs/balanced-consumer.md',
    source: 'src/balanced/protocols.ts',
    table: GROUP_PROTOCOL_CHOICE,
  },
  ZooKeeperOptions: {
    document: 'docs/balanced-consumer.md',
    source: 'src/balanced/zookeeper/options.ts',
    table: ZOOKEEPER_OPTIONS,
  },
  GroupOptions: {
    document: 'docs/balanced-consumer.md',
    source: 'src/balanced/classic/settings.ts',
    table: GROUP_OPTIONS,
  },
  ConsumerGroupOptions: {
    document: 'docs/balanced-consumer.md',
    source: 'src/balanced/consumer/settings.ts',
    table: CONSUMER_GROUP_OPTIONS,
  },
  MetricsOptions: {
    document: 'docs/metrics.md',
    source: 'src/client.ts',
    table: METRICS_OPTIONS,
  },
  ApplicationMetric: {
    document: 'docs/observability.md',
    source: 'src/observe/telemetry/application-metrics.ts',
    table: APPLICATION_METRIC,
  },
  OffsetLimitsOptions: {
    document: 'docs/client.md',
    source: 'src/offset-at.ts',
    table: OFFSET_LIMITS_OPTIONS,
  },
  ForwardingOptions: {
    document: 'docs/producer.md',
    source: 'src/producer/base-producer.ts',
    table: FORWARDING_OPTIONS,
  },
  InstrumentOptions: {
    document: 'docs/opentelemetry.md',
    source: 'src/opentelemetry/instrument.ts',
    table: INSTRUMENT_OPTIONS,
  },
  EmbeddedClusterOptions: {
    document: 'docs/testing.md',
    source: 'src/embedded/options.ts',
    table: EMBEDDED_CLUSTER_OPTIONS,
  },
  EmbeddedTopicOptions: {
    document: 'docs/testing.md',
    source: 'src/embedded/options.ts',
    table: EMBEDDED_TOPIC_OPTIONS,
  },
  EmbeddedListenerOptions: {
    document: 'docs/testing.md',
    source: 'src/embedded/options.ts',
    table: EMBEDDED_LISTENER_OPTIONS,
  },
  EmbeddedTlsOptions: {
    document: 'docs/testing.md',
    source: 'src/embedded/security/options.ts',
    table: EMBEDDED_TLS_OPTIONS,
  },
  EmbeddedSaslOptions: {
    document: 'docs/testing.md',
    source: 'src/embedded/security/options.ts',
    table: EMBEDDED_SASL_OPTIONS,
  },
  EmbeddedAuthorizerOptions: {
    document: 'docs/testing.md',
    source: 'src/embedded/authorization/authorizer.ts',
    table: EMBEDDED_AUTHORIZER_OPTIONS,
  },
  EmbeddedZooKeeperOptions: {
    document: 'docs/testing.md',
    source: 'src/embedded/zookeeper/options.ts',
    table: EMBEDDED_ZOOKEEPER_OPTIONS,
  },
}

const BEGIN = /<!-- options\b/g
const END = /<!-- \/options\b/g
/** No line of a section has another marker. */
const SECTION =
  /^(<!-- options: (\w+) -->)\n(?:(?!.*<!-- \/?options\b).*\n)*(<!-- \/options -->)$/gm

/**
 * A document with the tables that its sources make. Throws for a marker without its counterpart, and for a section of
 * no known options.
 */
export function withOptionTables(document: string): string {
  const [begins, ends, sections] = [BEGIN, END, SECTION].map(
    (pattern) => [...document.matchAll(pattern)].length,
  )
  if (begins !== sections || ends !== sections) {
    throw new Error(
      `${begins} markers begin a table of options and ${ends} end one, but only ${sections} tables stand between the two`,
    )
  }
  return document.replace(SECTION, (_, begin: string, name: string, end: string) => {
    const section = OPTION_SECTIONS[name]
    if (section === undefined) throw new Error(`there are no options with the name ${name}`)
    return `${begin}\n\n${tableOf(name, section)}\n\n${end}`
  })
}

/**
 * The options that the interface or type declares itself. Those that it extends, such as CallOptions, have a table of
 * their own.
 */
export function ownOptionsOf(name: string): [string, Option<unknown>][] {
  const { source, table } = OPTION_SECTIONS[name]!
  const docs = docstringsOf(name, source)
  return Object.entries(table).filter(([option]) => docs.has(option))
}

function tableOf(name: string, { source }: Section): string {
  const docs = docstringsOf(name, source)
  const rows = ownOptionsOf(name).map(([option, entry]) => {
    const meaning = withoutDefault(docs.get(option) ?? '', defaultTextOf(entry, option))
    return `| \`${option}\` | ${cell(defaultColumn(entry, option))} | ${cell(meaning)} |`
  })
  return ['| Option | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function defaultColumn(entry: Option<unknown>, option: string): string {
  if (entry.required === true) return 'required'
  return defaultTextOf(entry, option) ?? ''
}

/** The default as documents and docstrings write it; undefined where there is nothing to say. */
export function defaultTextOf(entry: Option<unknown>, option: string): string | undefined {
  const { default: value } = entry
  if (value === undefined) return entry.defaultText
  if (typeof value === 'number') return numberText(value, option)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `\`${value}\``
  return `\`${JSON.stringify(value).replaceAll('"', "'").replaceAll(',', ', ')}\``
}

const MIB = 1024 * 1024

function numberText(value: number, option: string): string {
  if (option.endsWith('Bytes') && value >= MIB && value % MIB === 0) return `${value / MIB} MiB`
  return value.toLocaleString('en-US').replace('-', '−')
}

const DEFAULT = / ?Default: ([^]*?)\.$/
const REQUIRED = / ?Required\.$/

/** The default that a docstring names in its last sentence; `required` for a required option. */
export function namedDefault(docstring: string): string | undefined {
  if (REQUIRED.test(docstring)) return 'required'
  return DEFAULT.exec(docstring)?.[1]
}

/** What follows the default in parentheses, such as `500 (100 in pykafka)`, stays as a sentence. */
function withoutDefault(docstring: string, text = ''): string {
  const named = DEFAULT.exec(docstring)?.[1]?.slice(text.length) ?? ''
  const note = /^ \((.*)\)$/.exec(named)?.[1]
  const meaning = docstring.replace(DEFAULT, '').replace(REQUIRED, '')
  return note === undefined ? meaning : `${meaning} ${note[0]!.toUpperCase()}${note.slice(1)}.`
}

/** The docstrings of the members of an interface or type, each on one line; empty where there is none. */
export function docstringsOf(name: string, source: string): ReadonlyMap<string, string> {
  const file = ts.createSourceFile(
    source,
    readFileSync(source, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  )
  const docs = new Map<string, string>()
  const visit = (node: ts.Node): void => {
    if (ts.isPropertySignature(node)) {
      const member = node.name.getText(file)
      const [comment] = ts.getJSDocCommentsAndTags(node)
      if (!docs.has(member)) {
        docs.set(member, (ts.getTextOfJSDocComment(comment?.comment) ?? '').replace(/\s+/g, ' '))
      }
      return
    }
    ts.forEachChild(node, visit)
  }
  const declaration = file.statements.find(
    (statement) =>
      (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) &&
      statement.name.text === name,
  )
  if (declaration === undefined) throw new Error(`${source} does not declare ${name}`)
  visit(declaration)
  return docs
}
