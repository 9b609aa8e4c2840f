import { DemoRowsQueryDocument, RequirementsQueryDocument } from '../generated/operations/graphql.js';
import { apolloClient } from '../src/apollo.js';
import { page, type Page, pages } from '../src/pages.js';
import { serverOfEnvironment } from '../src/server.js';

/** The server that is tested. */
export const server = serverOfEnvironment();

const { data: rows } = await apolloClient(server).query({ query: DemoRowsQueryDocument });
if (!rows) throw new Error('the server does not answer');

/** Every page, about rows of this server. */
export const demoPages: Page[] = pages(rows);

/** Everything that a cache must give back as it came. */
export const loaded: Page[] = [...demoPages, page(RequirementsQueryDocument, {})];

/** The project that most pages are about. */
export const project = rows.projects!.nodes[0]!;
