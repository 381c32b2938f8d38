import type { Authorizer } from '../authorization/authorizer.ts'
import type { ClientQuotas } from '../quotas/client-quotas.ts'
import type { DelegationTokens } from './delegation-tokens.ts'
import type { ScramCredentials } from './scram-credentials.ts'

/** What a cluster knows of its clients: who may do what and how much, and who can log in. */
export interface ClusterSecurity {
  readonly authorizer: Authorizer
  readonly quotas: ClientQuotas
  readonly scramCredentials: ScramCredentials
  readonly delegationTokens: DelegationTokens
}
