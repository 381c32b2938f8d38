import type { Authorizer } from '../authorization/authorizer.ts'
import type { ClientQuotas } from '../quotas/client-quotas.ts'
import type { DelegationTokens } from './delegation-tokens.ts'
import type { ScramCredentials } from './scram-credentials.ts'

/** The security state of a cluster: authorization, quotas and logins. */
export interface ClusterSecurity {
  readonly authorizer: Authorizer
  readonly quotas: ClientQuotas
  readonly scramCredentials: ScramCredentials
  readonly delegationTokens: DelegationTokens
}
