import type { Fields } from '../../../protocol/schema/fields.ts'
import { authorizeCluster } from '../api/access.ts'
import type { HandlerFunctions } from '../api/handler.ts'
import { outcomeOf } from '../refused.ts'

/**
 * Wraps a handler: clients that may not perform the operation on the cluster get the error in every
 * error field.
 */
export function forCluster<Request extends Fields, Response extends Fields>(
  operation: Parameters<typeof authorizeCluster>[1],
  parts: HandlerFunctions<Request, Response>,
): HandlerFunctions<Request, Response> {
  return {
    ...parts,
    handle(request, context) {
      const { refused } = outcomeOf(() => {
        authorizeCluster(context, operation)
      })
      return refused === undefined
        ? parts.handle(request, context)
        : parts.refuse(refused.errorCode, request, context)
    },
  }
}
