/** SAMSA_SEED, or another each time; it is printed with each scenario. */
export const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 1_000_000)
