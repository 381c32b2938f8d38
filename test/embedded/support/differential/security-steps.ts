/** What an administrator asks about ACLs, users and quotas. */
import * as apis from '../../../../protocol/apis/index.ts'
import { step, type Step } from './step.ts'

const ACL = {
  resourceType: 2,
  resourceName: 'a',
  resourcePatternType: 3,
  principal: 'User:alice',
  host: '*',
  operation: 3,
  permissionType: 3,
}
const ANY = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}
const SALT = Buffer.alloc(18, 1)
const SALTED = Buffer.alloc(32, 2)
const upsertion = { name: 'u', mechanism: 1, iterations: 4096, salt: SALT, saltedPassword: SALTED }

const quota = (
  what: string,
  entity: readonly (readonly [string, string | null])[],
  ops: readonly { key: string; value: number; remove: boolean }[],
) =>
  step(what, apis.alterClientQuotas, 1, {
    entries: [
      {
        entity: entity.map(([entityType, entityName]) => ({ entityType, entityName })),
        ops: [...ops],
      },
    ],
    validateOnly: true,
  })
const RATE = { key: 'producer_byte_rate', value: 1000, remove: false }

export const SECURITY_STEPS: readonly Step[] = [
  step('ACLs that cannot be', apis.createAcls, 3, {
    creations: [
      { ...ACL, resourceType: 4, resourceName: 'mine', operation: 5 },
      { ...ACL, resourceType: 3, operation: 4 },
      { ...ACL, operation: 12 },
      { ...ACL, resourceType: 4, resourceName: 'kafka-cluster', operation: 3 },
    ],
  }),
  step('no ACL', apis.describeAcls, 3, { ...ANY, resourceNameFilter: 'nothing' }),
  step('no ACL to delete', apis.deleteAcls, 3, {
    filters: [{ ...ANY, resourceNameFilter: 'nothing' }],
  }),
  step('users that do not exist', apis.describeUserScramCredentials, 0, {
    users: [{ name: 'nobody' }, { name: 'twice' }, { name: 'twice' }],
  }),
  step('users that cannot be', apis.alterUserScramCredentials, 0, {
    deletions: [
      { name: 'nobody', mechanism: 1 },
      { name: 'strange', mechanism: 9 },
      { name: 'both', mechanism: 1 },
    ],
    upsertions: [
      { ...upsertion, name: 'few', iterations: 10 },
      { ...upsertion, name: 'many', iterations: 20_000 },
      { ...upsertion, name: '' },
      { ...upsertion, name: 'both' },
    ],
  }),
  quota('a quota', [['user', 'u']], [RATE]),
  quota('a quota of no entity', [], [RATE]),
  quota('a quota of a strange entity', [['planet', 'u']], [RATE]),
  quota('a quota of an empty name', [['user', '']], [RATE]),
  quota(
    'a quota of a user and an address',
    [
      ['user', 'u'],
      ['ip', '127.0.0.1'],
    ],
    [RATE],
  ),
  quota('a strange quota', [['user', 'u']], [{ ...RATE, key: 'strange' }]),
  quota('a fraction', [['user', 'u']], [{ ...RATE, value: 0.5 }]),
  quota('a negative quota', [['user', 'u']], [{ ...RATE, value: -1 }]),
  quota('a quota of bytes of an address', [['ip', '127.0.0.1']], [RATE]),
  quota('a quota to take away that does not exist', [['user', 'u']], [{ ...RATE, remove: true }]),
  step('no quota', apis.describeClientQuotas, 1, { components: [], strict: false }),
  step('quotas of a strange type', apis.describeClientQuotas, 1, {
    components: [{ entityType: 'planet', matchType: 0, match: 'x' }],
    strict: false,
  }),
  step('quotas of a type twice', apis.describeClientQuotas, 1, {
    components: [
      { entityType: 'user', matchType: 0, match: 'x' },
      { entityType: 'user', matchType: 0, match: 'y' },
    ],
    strict: false,
  }),
  step('quotas of an exact nothing', apis.describeClientQuotas, 1, {
    components: [{ entityType: 'user', matchType: 0, match: null }],
    strict: false,
  }),
  step('a token without a login', apis.createDelegationToken, 3, {
    ownerPrincipalType: null,
    ownerPrincipalName: null,
    renewers: [],
    maxLifetimeMs: -1n,
  }),
  step('tokens without a login', apis.describeDelegationToken, 3, { owners: null }),
  step('a token to renew without a login', apis.renewDelegationToken, 2, {
    hmac: Buffer.alloc(4),
    renewPeriodMs: -1n,
  }),
  step('a token to expire without a login', apis.expireDelegationToken, 2, {
    hmac: Buffer.alloc(4),
    expiryTimePeriodMs: -1n,
  }),
]
