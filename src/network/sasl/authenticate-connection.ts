import type { Connection } from '../connection.ts'
import type { BrokerVersions } from '../api-versions.ts'
import type { Address } from '../address.ts'
import type { SaslMechanism } from './mechanism.ts'
export async function authenticateConnection(_connection: Connection, _versions: BrokerVersions, _address: Address, _mechanism: SaslMechanism, _options: object): Promise<void> { await Promise.resolve() }
