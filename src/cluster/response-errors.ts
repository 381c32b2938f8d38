/** Finds error codes in a decoded response of any API: every API names the field `errorCode`. */

export interface ResponseError {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** The error code of the response as a whole; undefined if it is 0, or there is no such field. */
export function topLevelError(response: object): ResponseError | undefined {
  const errorCode: unknown = Reflect.get(response, 'errorCode')
  if (typeof errorCode !== 'number' || errorCode === 0) return undefined
  const errorMessage: unknown = Reflect.get(response, 'errorMessage')
  return { errorCode, errorMessage: typeof errorMessage === 'string' ? errorMessage : null }
}

/**
 * The first error code of the response, if all error codes are among `codes`. The broker has then done nothing, and the
 * whole request can be sent again elsewhere; after mixed results it cannot.
 */
export function onlyErrorAmong(response: object, codes: ReadonlySet<number>): number | undefined {
  let found: number | undefined
  const visit = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.every(visit)
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
    for (const [name, field] of Object.entries(value)) {
      if (name !== 'errorCode') {
        if (!visit(field)) return false
      } else if (typeof field === 'number') {
        // The code of the response itself is 0 if only items failed.
        if (field === 0 && value === response) continue
        if (!codes.has(field)) return false
        found ??= field
      }
    }
    return true
  }
  return visit(response) ? found : undefined
}
