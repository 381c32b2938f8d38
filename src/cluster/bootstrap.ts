import { dnsModule, netModule } from '../builtins.ts'
import type { Address } from '../network/address.ts'
import { systemLookup } from '../network/transport.ts'

/**
 * How the client uses the names of bootstrap addresses (Java's `client.dns.lookup`): it tries all addresses of a name,
 * or replaces the name by the canonical names of its addresses, as Kerberos and certificates behind an alias require.
 */
export type DnsLookup = 'use_all_dns_ips' | 'resolve_canonical_bootstrap_servers_only'

/** Returns the canonical names of all addresses of all hosts. A host that cannot be resolved is returned unchanged. */
export async function canonicalAddresses(
  addresses: readonly Address[],
): Promise<readonly Address[]> {
  const resolved = await Promise.all(addresses.map(canonicalOf))
  const byName = new Map(resolved.flat().map((address) => [JSON.stringify(address), address]))
  return [...byName.values()]
}

async function canonicalOf({ host, port }: Address): Promise<Address[]> {
  try {
    const { reverse } = dnsModule().promises
    const ips = netModule.isIP(host) === 0 ? await systemLookup(host) : [host]
    return await Promise.all(
      ips.map(async (ip) => {
        const [name = ip] = await reverse(ip).catch(() => [ip])
        return { host: name, port }
      }),
    )
  } catch {
    return [{ host, port }]
  }
}
