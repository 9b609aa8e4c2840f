import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: ['../../tests/operations/*.graphql', 'operations/*.graphql'],
  generates: {
    'generated/operations/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // What a scalar is in JSON; one that is not listed here is an error.
        scalars: { BigInt: 'string', Cursor: 'string', Date: 'string', DateTime: 'string', JSON: 'unknown' },
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        importExtension: '.js',
        emitLegacyCommonJSImports: false,
      },
    },
  },
};

export default config;
