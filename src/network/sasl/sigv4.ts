/** AWS Signature Version 4 in query parameters. The holder of the signed request may send it until it expires. */
import { cryptoModule } from '../../builtins.ts'

/** Credentials of AWS. */
export interface AwsCredentials {
  /** The id of the access key. */
  readonly accessKeyId: string
  /** The secret of the access key. */
  readonly secretAccessKey: string
  /** The session token of temporary credentials. */
  readonly sessionToken?: string | undefined
}

export interface PresignRequest {
  readonly host: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly region: string
  readonly service: string
  readonly expiresS: number
  readonly date: Date
  /** SHA-256 of the body, in hex. Default: that of an empty body. */
  readonly payloadHash?: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const SIGNED_HEADERS = 'host'

/** Returns all query parameters of the signed GET request, including the signature, not encoded. */
export function presign(request: PresignRequest, credentials: AwsCredentials): Map<string, string> {
  const { host, path, region, service, date } = request
  // 20260102T030405Z
  const timestamp = `${date.toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}Z`
  const day = timestamp.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  const query = new Map([
    ...Object.entries(request.query),
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-Expires', String(request.expiresS)],
    ['X-Amz-SignedHeaders', SIGNED_HEADERS],
  ])
  if (credentials.sessionToken !== undefined) {
    query.set('X-Amz-Security-Token', credentials.sessionToken)
  }
  const canonicalRequest = [
    'GET',
    path,
    canonicalQuery(query),
    `host:${host}\n`,
    SIGNED_HEADERS,
    request.payloadHash ?? sha256(''),
  ].join('\n')
  const toSign = [ALGORITHM, timestamp, scope, sha256(canonicalRequest)].join('\n')
  const secret = `AWS4${credentials.secretAccessKey}`
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, secret)
  query.set('X-Amz-Signature', hmac(key, toSign).toString('hex'))
  return query
}

function canonicalQuery(query: ReadonlyMap<string, string>): string {
  return [...query]
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Encodes everything except letters, digits and -._~ (RFC 3986). encodeURIComponent leaves five more characters. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

const sha256 = (text: string): string =>
  cryptoModule().createHash('sha256').update(text).digest('hex')

const hmac = (key: string | Buffer, text: string): Buffer =>
  cryptoModule().createHmac('sha256', key).update(text).digest()
