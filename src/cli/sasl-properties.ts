/** Converts the settings of a login, in the spelling of the Java client or of librdkafka, to SaslOptions. */
import { UsageError } from './failure.ts'
import { first, type Properties } from './properties.ts'
import type { SaslMechanism, SaslOptions } from '../index.ts'

/** Asks for a password that no property contains; undefined without a terminal. */
export type PasswordSource = (username: string) => Promise<string | undefined>

type MechanismOptions = Exclude<SaslOptions, SaslMechanism>
type MechanismName = MechanismOptions['mechanism']

/** The settings of a login. */
interface Login {
  readonly properties: Properties
  /** The options of Java's login module. */
  readonly jaas: ReadonlyMap<string, string>
  readonly askPassword: PasswordSource
}

/** Reads the settings of each mechanism: the compiler reports one that is missing. */
const READERS: Readonly<
  Record<MechanismName, (login: Login) => MechanismOptions | Promise<MechanismOptions>>
> = {
  PLAIN: async (login) => ({ mechanism: 'PLAIN', ...(await userOf('PLAIN', login)) }),
  'SCRAM-SHA-256': (login) => scramOf('SCRAM-SHA-256', login),
  'SCRAM-SHA-512': (login) => scramOf('SCRAM-SHA-512', login),
  OAUTHBEARER: oidcOf,
  AWS_MSK_IAM: ({ properties }) => {
    const mechanism = 'AWS_MSK_IAM'
    const region = properties.get('aws.region') ?? process.env['AWS_REGION']
    if (region === undefined) throw missing('aws.region', mechanism)
    return { mechanism, region }
  },
}

/** Every mechanism, as help and errors list them. */
export const MECHANISM_LIST = Object.keys(READERS)
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' or ')

/** Throws UsageError that names the property. */
export async function saslOf(
  properties: Properties,
  askPassword: PasswordSource,
): Promise<SaslOptions> {
  const mechanism = first(properties, 'sasl.mechanism', 'sasl.mechanisms') ?? 'PLAIN'
  if (!isKnown(mechanism)) {
    throw new UsageError(`sasl.mechanism must be ${MECHANISM_LIST}, not '${mechanism}'`)
  }
  const jaas = jaasOptions(properties.get('sasl.jaas.config'))
  return READERS[mechanism]({ properties, jaas, askPassword })
}

function isKnown(mechanism: string): mechanism is MechanismName {
  return Object.hasOwn(READERS, mechanism)
}

async function scramOf(
  mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
  login: Login,
): Promise<MechanismOptions> {
  const { properties, jaas } = login
  const user = await userOf(mechanism, login)
  // For a delegation token; Java's login module calls it tokenauth.
  const isToken = properties.get('sasl.login.token') === 'true' || jaas.get('tokenauth') === 'true'
  return { mechanism, ...user, ...(isToken ? { tokenAuth: true } : {}) }
}

async function userOf(
  mechanism: MechanismName,
  { properties, jaas, askPassword }: Login,
): Promise<{ readonly username: string; readonly password: string }> {
  const username = properties.get('sasl.username') ?? jaas.get('username')
  if (username === undefined) throw missing('sasl.username', mechanism, '--user NAME')
  const password =
    properties.get('sasl.password') ?? jaas.get('password') ?? (await askPassword(username))
  if (password === undefined) throw missing('sasl.password', mechanism, '--password-file FILE')
  return { username, password }
}

function oidcOf({ properties, jaas }: Login): MechanismOptions {
  const mechanism = 'OAUTHBEARER'
  const tokenEndpoint = properties.get('sasl.oauthbearer.token.endpoint.url')
  const clientId = properties.get('sasl.oauthbearer.client.id') ?? jaas.get('clientId')
  const clientSecret = properties.get('sasl.oauthbearer.client.secret') ?? jaas.get('clientSecret')
  const scope = properties.get('sasl.oauthbearer.scope') ?? jaas.get('scope')
  if (tokenEndpoint === undefined) throw missing('sasl.oauthbearer.token.endpoint.url', mechanism)
  if (clientId === undefined) throw missing('sasl.oauthbearer.client.id', mechanism)
  if (clientSecret === undefined) throw missing('sasl.oauthbearer.client.secret', mechanism)
  return { mechanism, oidc: { tokenEndpoint, clientId, clientSecret, ...(scope && { scope }) } }
}

function missing(property: string, mechanism: MechanismName, instead?: string): UsageError {
  const hint = instead === undefined ? '' : ` or give ${instead}`
  return new UsageError(`${mechanism} needs ${property}: set it with -X ${property}=…${hint}`)
}

/** The options of a login module: `…PlainLoginModule required username="a" password="b";`. */
function jaasOptions(text: string | undefined): ReadonlyMap<string, string> {
  const found = (text ?? '').matchAll(/(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;"]+))/g)
  return new Map(
    [...found].map(([, key, quoted, bare]) => [
      key!,
      quoted === undefined ? bare! : quoted.replaceAll(/\\(.)/g, '$1'),
    ]),
  )
}
