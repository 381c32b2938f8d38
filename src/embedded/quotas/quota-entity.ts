/** The entity of a quota. Null stands for all entities without a quota of their own. */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
  readonly ip?: string | null
}

export function keyOfEntity({ user, clientId, ip }: QuotaEntity): string {
  // JSON has no undefined in arrays: a missing part must differ from a default.
  return JSON.stringify([user, clientId, ip].map((part) => (part === undefined ? 0 : [part])))
}
