import type { ApolloClient } from '@apollo/client';
import { DashboardQueryDocument, ShellQueryDocument } from '../generated/operations/graphql.js';

/** The workspace in a few lines of text: who asks, and what waits in each project. */
export async function overview(client: ApolloClient): Promise<string[]> {
  const shell = await client.query({ query: ShellQueryDocument });
  const { viewer, projects } = shell.data!;
  const lines = [`${viewer.user?.name}, ${viewer.user?.role} of ${viewer.tenant?.name}`];
  for (const project of projects?.nodes ?? []) {
    const inProject = { projectId: { eq: project.id } };
    const page = await client.query({
      query: DashboardQueryDocument,
      variables: { projectId: project.id, meetings: inProject, briefs: inProject },
    });
    const { dashboard, meetings } = page.data!;
    const latest = meetings?.nodes[0];
    lines.push(
      `${project.name}: ${dashboard?.tickets?.waiting} of ${dashboard?.tickets?.total} tickets wait, ` +
        `${dashboard?.briefs?.pendingApproval} briefs to approve, last meeting ${latest?.title ?? 'never'}`,
    );
  }
  return lines;
}
