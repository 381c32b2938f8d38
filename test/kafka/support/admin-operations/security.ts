import type { Admin } from '../../../../src/index.ts'
import { byKey, sorted, done, only, everywhere } from './forms.ts'
import type { Operation } from './operation.ts'

const aclOf = (own: string) =>
  ({
    resourceType: 'topic',
    resourceName: own,
    patternType: 'literal',
    principal: `User:${own}`,
    host: '*',
    operation: 'read',
    permission: 'allow',
  }) as const

type Acl = Awaited<ReturnType<Admin['describeAcls']>>[number]

function aclsOf(acls: readonly Acl[]) {
  return sorted(
    acls.map((one) =>
      [
        one.resourceType,
        one.resourceName,
        one.patternType,
        one.principal,
        one.host,
        one.operation,
        one.permission,
      ].join(' '),
    ),
  )
}

/** ACLs, users, quotas and delegation tokens. */
export const SECURITY_OPERATIONS: readonly Operation[] = [
  {
    java: 'createAcls',
    since: '0.11',
    samsa: (admin, own) => done(admin.createAcls([aclOf(own)])),
    until: (admin) => everywhere(() => admin.describeAcls(), 2),
  },
  {
    java: 'describeAcls',
    since: '0.11',
    samsa: async (admin) => aclsOf(await admin.describeAcls()),
  },
  {
    java: 'deleteAcls',
    since: '0.11',
    samsa: async (admin, own) => aclsOf((await only(admin.deleteAcls([aclOf(own)]))).deleted),
  },
  {
    java: 'alterUserScramCredentials',
    since: '2.7',
    samsa: (admin, own) =>
      done(
        admin.alterUserScramCredentials([
          { user: own, mechanism: 'SCRAM-SHA-256', password: 'secret', iterations: 4096 },
        ]),
      ),
    until: (admin) => everywhere(() => admin.describeUserScramCredentials(), 2),
  },
  {
    java: 'describeUserScramCredentials',
    since: '2.7',
    samsa: async (admin) =>
      byKey(
        (await admin.describeUserScramCredentials()).map(({ user, credentials }) => [
          user,
          credentials.map(({ mechanism, iterations }) => `${mechanism}:${iterations}`),
        ]),
      ),
  },
  {
    java: 'alterClientQuotas',
    since: '2.6',
    samsa: (admin, own) =>
      done(admin.alterClientQuotas([{ entity: { user: own }, set: { producer_byte_rate: 1000 } }])),
    until: (admin) => everywhere(() => admin.describeClientQuotas({ user: true }), 2),
  },
  {
    java: 'describeClientQuotas',
    since: '2.6',
    samsa: async (admin) =>
      byKey(
        (await admin.describeClientQuotas({ user: true })).map(({ entity, quotas }) => [
          String(entity.user),
          quotas,
        ]),
      ),
  },
  {
    java: 'createDelegationToken',
    name: 'createDelegationToken (without a login)',
    since: '1.1',
    samsa: (admin) => done(admin.createDelegationToken()),
  },
  {
    java: 'renewDelegationToken',
    name: 'renewDelegationToken (without a login)',
    since: '1.1',
    samsa: (admin) => done(admin.renewDelegationToken('AQI=')),
  },
  {
    java: 'expireDelegationToken',
    name: 'expireDelegationToken (without a login)',
    since: '1.1',
    samsa: (admin) => done(admin.expireDelegationToken('AQI=')),
  },
  {
    java: 'describeDelegationToken',
    name: 'describeDelegationToken (without a login)',
    since: '1.1',
    samsa: async (admin) => (await admin.describeDelegationTokens()).length,
  },
]
