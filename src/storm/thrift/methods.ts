/** The methods of Storm's Nimbus service that samsa uses. */
import {
  clusterSummary,
  componentPageInfo,
  killOptions,
  rebalanceOptions,
  stormTopology,
  submitOptions,
  supervisorPageInfo,
  topologyInfo,
  topologyPageInfo,
} from './structures.ts'
import { binary, bool, optional, required, string, struct, type ThriftType } from './types.ts'

/** The arguments by name, and the result. */
export interface Method<Args, Result> {
  readonly name: string
  readonly args: ThriftType<Args>
  readonly result: ThriftType<Result> | undefined
  /** The declared exceptions, by the number of their field. */
  readonly exceptions: Readonly<Record<number, Exception>>
}

export type Exception =
  | 'AlreadyAliveException'
  | 'NotAliveException'
  | 'InvalidTopologyException'
  | 'AuthorizationException'

const AUTHORIZATION = { 1: 'AuthorizationException' } as const
const ALIVE = { 1: 'NotAliveException', 2: 'AuthorizationException' } as const

function method<Args, Result>(
  name: string,
  args: ThriftType<Args>,
  result: ThriftType<Result>,
  exceptions: Readonly<Record<number, Exception>> = AUTHORIZATION,
): Method<Args, Result> {
  return { name, args, result, exceptions }
}

function action<Args>(
  name: string,
  args: ThriftType<Args>,
  exceptions: Readonly<Record<number, Exception>> = AUTHORIZATION,
): Method<Args, undefined> {
  return { name, args, result: undefined, exceptions }
}

const none = struct({})
const byName = struct({ name: required(1, string) })

export const methods = {
  submit: action(
    'submitTopologyWithOpts',
    struct({
      name: required(1, string),
      /** Left out for a Storm in one JVM, which uses its own class path. */
      uploadedJarLocation: optional(2, string),
      jsonConf: required(3, string),
      topology: required(4, stormTopology),
      options: required(5, submitOptions),
    }),
    { 1: 'AlreadyAliveException', 2: 'InvalidTopologyException', 3: 'AuthorizationException' },
  ),
  kill: action(
    'killTopologyWithOpts',
    struct({ name: required(1, string), options: required(2, killOptions) }),
    ALIVE,
  ),
  activate: action('activate', byName, ALIVE),
  deactivate: action('deactivate', byName, ALIVE),
  rebalance: action(
    'rebalance',
    struct({ name: required(1, string), options: required(2, rebalanceOptions) }),
    { 1: 'NotAliveException', 2: 'InvalidTopologyException', 3: 'AuthorizationException' },
  ),
  beginFileUpload: method('beginFileUpload', none, string),
  uploadChunk: action(
    'uploadChunk',
    struct({ location: required(1, string), chunk: required(2, binary) }),
  ),
  finishFileUpload: action('finishFileUpload', struct({ location: required(1, string) })),
  nimbusConf: method('getNimbusConf', none, string),
  cluster: method('getClusterInfo', none, clusterSummary),
  isNameAllowed: method('isTopologyNameAllowed', byName, bool),
  topology: method('getTopologyInfo', struct({ id: required(1, string) }), topologyInfo, ALIVE),
  topologyPage: method(
    'getTopologyPageInfo',
    struct({
      id: required(1, string),
      window: required(2, string),
      is_include_sys: required(3, bool),
    }),
    topologyPageInfo,
    ALIVE,
  ),
  componentPage: method(
    'getComponentPageInfo',
    struct({
      topology_id: required(1, string),
      component_id: required(2, string),
      window: required(3, string),
      is_include_sys: required(4, bool),
    }),
    componentPageInfo,
    ALIVE,
  ),
  supervisorPage: method(
    'getSupervisorPageInfo',
    struct({
      id: optional(1, string),
      host: required(2, string),
      is_include_sys: required(3, bool),
    }),
    supervisorPageInfo,
  ),
} as const
