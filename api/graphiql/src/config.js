const EMPTY = { endpoint: '/graphql', roles: [], examples: [] };

export function readConfig() {
  const text = document.getElementById('workgraph-config')?.textContent ?? '';
  try {
    return { ...EMPTY, ...JSON.parse(text) };
  } catch {
    return EMPTY;
  }
}
