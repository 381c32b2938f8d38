import type ZooKeeper from 'node-zookeeper-client'

let loaded: typeof ZooKeeper | undefined

/**
 * Loads node-zookeeper-client when it is first needed, because loading it takes half as long as all of samsa. Uses
 * `import()` rather than `createRequire`, because bundlers follow only the first.
 */
export async function loadZooKeeperPackage(): Promise<void> {
  // The package is CommonJS: bundlers and Node.js agree only on `default`.
  loaded ??= (await import('node-zookeeper-client')).default
}

/** Returns node-zookeeper-client. `loadZooKeeperPackage` must have resolved before. */
export function zooKeeperPackage(): typeof ZooKeeper {
  if (loaded === undefined) throw new Error('node-zookeeper-client is not loaded yet')
  return loaded
}
