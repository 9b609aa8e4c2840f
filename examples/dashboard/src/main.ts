import { apolloClient } from './apollo.js';
import { overview } from './overview.js';
import { serverOfEnvironment } from './server.js';

console.log((await overview(apolloClient(serverOfEnvironment()))).join('\n'));
