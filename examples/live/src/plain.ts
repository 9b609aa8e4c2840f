import type { Client, SubscribePayload } from 'graphql-ws';
import { Refused } from './failures.js';
import type { Feed } from './follow.js';
import { iterate } from './iterate.js';
import { ACTIVITY, type ActivityFrame, PROJECTS, type ProjectsPage } from './operations.js';

/** The page and its stream over one socket, with nothing but graphql-ws. */
export function plainFeed(client: Client): Feed<ProjectsPage, ActivityFrame> {
  return {
    async load() {
      for await (const page of results<ProjectsPage>(client, { query: PROJECTS, operationName: 'Projects' })) {
        return { page, feedCursor: page.feedCursor };
      }
      throw new Error('There was no answer.');
    },
    async *subscribe(after, signal) {
      const operation = { query: ACTIVITY, operationName: 'Activity', variables: { after } };
      const frames = results<{ activity: ActivityFrame }>(client, operation, signal);
      for await (const { activity } of frames) yield activity;
    },
  };
}

/** The results of an operation. */
function results<Data>(client: Client, operation: SubscribePayload, signal?: AbortSignal) {
  return iterate<Data>(({ next, error, complete }) => {
    return client.subscribe(operation, {
      next: ({ data, errors }) => (errors ? error(new Refused(errors)) : next(data as Data)),
      error: (cause) => error(Array.isArray(cause) ? new Refused(cause) : cause),
      complete,
    });
  }, signal);
}
