import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { int16, int32, string } from '../schema/fields.ts'

/** Removes a controller's registration from a KRaft cluster. */
export const unregisterController = api({
  key: 94,
  name: 'UnregisterController',
  versions: '0',
  flexible: '0+',
  request: {
    controllerId: int32('0+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  },
})

export type UnregisterControllerRequest = RequestOf<typeof unregisterController>
export type UnregisterControllerResponse = ResponseOf<typeof unregisterController>
