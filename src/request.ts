import type { Api } from '../protocol/schema/api.ts'
import type { Fields } from '../protocol/schema/fields.ts'
import { Deadline } from './async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from './call-options.ts'
import type { CallSettings } from './cluster/router.ts'
import { aTarget, type Target } from './cluster/target.ts'
import { readOptions, type OptionTable } from './option-table.ts'
import { anInteger } from './options.ts'

/** The options of `client.request()`. */
export interface RequestOptions extends CallOptions {
  /** The broker that the request goes to. Default: `any`. */
  readonly to?: Target
  /** The highest version of the API to use. Default: the highest that both sides know. */
  readonly maxVersion?: number
}

/** The checks and defaults of `RequestOptions`. */
export const REQUEST_OPTIONS = {
  ...CALL_OPTIONS,
  to: { check: aTarget, default: 'any' },
  maxVersion: { check: anInteger(0), defaultText: 'the highest that both sides know' },
} as const satisfies OptionTable<RequestOptions>

/** Throws InvalidArgumentError for an unknown option or a value that is not valid. */
export function requestSettings<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  options: RequestOptions,
  operationTimeoutMs: number,
): CallSettings {
  const { to, maxVersion, timeoutMs, signal } = readOptions('request', options, REQUEST_OPTIONS)
  return {
    to,
    what: api.name,
    deadline: new Deadline(timeoutMs ?? operationTimeoutMs, signal),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  }
}
