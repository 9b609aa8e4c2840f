// Works until it is stopped: main.js [--repo owner/name] COMMAND [ARGUMENT …]

import { Agent } from './agent.js';

const args = process.argv.slice(2);
const repos: string[] = [];
while (args[0] === '--repo') repos.push(...args.splice(0, 2).slice(1));
const { WORKGRAPH_URL = 'http://127.0.0.1:8080', WORKGRAPH_AGENT_TOKEN, WORKGRAPH_SESSION_FILE } = process.env;
if (!WORKGRAPH_AGENT_TOKEN || args.length === 0) {
  throw new Error('set WORKGRAPH_AGENT_TOKEN, and name the command that does the work');
}
const agent = new Agent({
  server: { url: `${WORKGRAPH_URL}/graphql`, token: WORKGRAPH_AGENT_TOKEN },
  command: args,
  repos,
  sessionFile: WORKGRAPH_SESSION_FILE,
  log: (text) => console.log(text),
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => agent.stop());
await agent.work();
