/**
 * Modules of Node.js that few clients need, loaded at their first use: `import` would load them at the start of each
 * process, where node:tls takes 15 ms of CPU and node:crypto 7, together as much as all of samsa's own modules.
 * node:fs is always there, but importing it takes 3 ms, for its streams and promises (see protocol/builtins.ts);
 * importing node:net takes 2.4 ms instead of 2, for exports that no client uses.
 * `process.getBuiltinModule` (Node.js 20.16) is synchronous and works in ES modules and CommonJS.
 */
import { utilModule } from '../protocol/builtins.ts'

export const tlsModule = () => process.getBuiltinModule('node:tls')

export const cryptoModule = () => process.getBuiltinModule('node:crypto')

export const fsModule = () => process.getBuiltinModule('node:fs')

/** Not a function: every client needs it. */
export const netModule = /* @__PURE__ */ process.getBuiltinModule('node:net')

/** Only host names need it. */
export const dnsModule = () => process.getBuiltinModule('node:dns')

/** Salts and hashes a password in Node's thread pool, because thousands of iterations take milliseconds. */
export function pbkdf2(
  password: string,
  salt: Buffer,
  iterations: number,
  sizeBytes: number,
  digest: string,
): Promise<Buffer> {
  return utilModule().promisify(cryptoModule().pbkdf2)(
    password,
    salt,
    iterations,
    sizeBytes,
    digest,
  )
}
