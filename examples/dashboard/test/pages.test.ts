import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { demoPages } from './demo.js';

test('every operation of the dashboard is a page here', async () => {
  const files = await readdir(new URL('../../../../tests/operations/', import.meta.url));
  const named = files.map((file) => file.replace('.graphql', '').replaceAll('_', ''));
  const pages = demoPages.map((page) => page.name.replace(/Query$/, '').toLowerCase());
  assert.deepEqual(pages.sort(), named.sort());
});
