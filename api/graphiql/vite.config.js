import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const jsonc = fileURLToPath(new URL('src/prettier-jsonc.js', import.meta.url));

export default defineConfig({
  base: '/graphql/',
  build: {
    outDir: process.env.GRAPHIQL_OUT_DIR || 'dist',
    emptyOutDir: true,
    license: { fileName: 'assets/licenses.md' },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
    target: 'es2022',
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  resolve: {
    alias: {
      'prettier/parser-babel': jsonc,
      'prettier/plugins/estree': jsonc,
      'prettier/parser-graphql': 'prettier/plugins/graphql',
    },
  },
});
