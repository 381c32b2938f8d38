import type { Api } from '../protocol/schema/api.ts'
import type { Fields } from '../protocol/schema/fields.ts'
import { aSignal, deadlineOf, type CallOptions } from './call-options.ts'
import type { CallSettings } from './cluster/router.ts'
import { aTarget, type Target } from './cluster/target.ts'
import { anInteger, checkOptions } from './options.ts'

/** The options of `client.request()`. */
export interface RequestOptions extends CallOptions {
  /** The broker that the request goes to. Default: `any`. */
  readonly to?: Target
  /** The highest version of the API to use. Default: the highest that both sides know. */
  readonly maxVersion?: number
}

/** Throws InvalidArgumentError for an unknown option or a value that is not valid. */
export function requestSettings<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  options: RequestOptions,
  operationTimeoutMs: number,
): CallSettings {
  checkOptions<RequestOptions>('request', options, {
    to: aTarget,
    maxVersion: anInteger(0),
    timeoutMs: anInteger(1),
    signal: aSignal,
  })
  const { to = 'any', maxVersion, timeoutMs, signal } = options
  const call = {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  }
  return {
    to,
    what: api.name,
    deadline: deadlineOf(call, operationTimeoutMs),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  }
}
