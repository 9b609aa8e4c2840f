// The command line, and Ctrl-C.

import { Agent } from './agent.js';
import { text } from './server.js';

const USAGE = `Works on tickets: claims one after the other, runs a command for each, and hands in what came of it.

Usage: npm start -- [OPTION …] COMMAND [ARGUMENT …]

The command gets the job's payload as JSON on its standard input.

  --repo OWNER/NAME   a repository that it has; once for each
  --heartbeat SECONDS between two signs of life; 30 unless it is given
  --grace SECONDS     that the command may go on for when the agent is stopped, 60 unless it is given; then the ticket is
                      given back
  --help              shows this

  WORKGRAPH_AGENT_TOKEN   the agent token, as createAgentToken showed it
  WORKGRAPH_URL           the server's address, http://127.0.0.1:8080 unless it is given
  WORKGRAPH_SESSION_FILE  keeps its session there, to take it up again when it is started anew; a file for each agent`;

function end(status: number, why: string): never {
  console.error(`workgraph-agent: ${why}`);
  process.exit(status);
}

const args = process.argv.slice(2);
const repos: string[] = [];
const times = { '--heartbeat': 30, '--grace': 60 };
while (args[0]?.startsWith('-')) {
  const name = args.shift()!;
  if (name === '--') break;
  if (name === '--help' || name === '-h') {
    console.log(USAGE);
    process.exit();
  }
  const value = args.shift() ?? '';
  if (name === '--repo') repos.push(value);
  else if (name === '--heartbeat' || name === '--grace') {
    if (!/^\d{1,6}$/.test(value)) end(2, `${name} needs a number of seconds`);
    times[name] = Number(value);
  } else end(2, `there is no ${name}; --help has the options`);
}
const { WORKGRAPH_URL = 'http://127.0.0.1:8080', WORKGRAPH_AGENT_TOKEN, WORKGRAPH_SESSION_FILE } = process.env;
if (!WORKGRAPH_AGENT_TOKEN) end(2, 'WORKGRAPH_AGENT_TOKEN is not set: it is the token that createAgentToken showed');
if (!/^https?:/.test(WORKGRAPH_URL) || !URL.canParse(WORKGRAPH_URL)) end(2, `WORKGRAPH_URL is no address: ${WORKGRAPH_URL}`);
if (args.length === 0) end(2, 'name the command that does the work; --help says more');

const agent = new Agent({
  server: { url: `${WORKGRAPH_URL.replace(/\/+$/, '')}/graphql`, token: WORKGRAPH_AGENT_TOKEN },
  command: args,
  repos,
  sessionFile: WORKGRAPH_SESSION_FILE || undefined,
  heartbeat: times['--heartbeat'] * 1000,
  log: (text) => console.log(text),
});

let first = 0;
const stop = () => {
  // npm passes on what the terminal has sent here too: that is one Ctrl-C.
  if (first && Date.now() - first < 500) return;
  if (first) return agent.stop(true);
  first = Date.now();
  console.log('leaves when the command has ended, or is asked to a second time');
  agent.stop();
  setTimeout(() => agent.stop(true), times['--grace'] * 1000).unref();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

await agent.work().catch((error: unknown) => end(1, text(error)));
process.exit();
