/** The tests run from source: swc strips the types, `npm run typecheck` is what checks them. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  setupFilesAfterEnv: ['<rootDir>/test/support/fault-watch.ts'],
  // Ends what hangs. How long a test may take is no test: the machine may have other things to do.
  testTimeout: 600_000,
}
