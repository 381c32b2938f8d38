import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'packages',
      'dist',
      'node_modules',
      'coverage',
      'benchmarks/peers',
      // Projects of their own, which npm run typecheck covers.
      'examples/storm-*',
      // AssemblyScript, which `npm run embed-block-codecs` compiles.
      'assembly',
      'benchmarks/results',
      'test/bundles/tools/node_modules',
      'test/bundles/application.ts',
    ],
  },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      // For elements that exist by construction: noUncheckedIndexedAccess makes every list[index] possibly undefined.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    // Callers of the API of kafkajs may not use types, and its types say less than it takes and returns.
    files: [
      'src/kafkajs/**/*.ts',
      'test/support/kafkajs/**/*.ts',
      'test/unit/kafkajs/**/*.ts',
      'test/kafka/kafkajs.test.ts',
    ],
    rules: {
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-useless-default-assignment': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // The drivers of the benchmarks are as their clients' examples are, see benchmarks/clients/driver/drive.js.
    files: ['*.js', 'benchmarks/clients/**/*.js', 'test/**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: Object.fromEntries(
        [
          ...['process', 'console', 'Buffer', 'performance', 'URL', 'AbortController'],
          ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
)
