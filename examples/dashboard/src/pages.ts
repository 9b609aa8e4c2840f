import type { TypedDocumentNode } from '@apollo/client';
import type { DemoRowsQueryQuery } from '../generated/operations/graphql.js';
import * as graphql from '../generated/operations/graphql.js';

/** One page of the dashboard: the operation that it sends, and the variables it sends with it. */
export interface Page {
  /** The name of the operation. */
  name: string;
  document: TypedDocumentNode<unknown, Record<string, unknown>>;
  variables: Record<string, unknown>;
}

/** Every page, about rows of the demo. */
export function pages(rows: DemoRowsQueryQuery): Page[] {
  const projectId = only(rows.projects).id;
  const inProject = { projectId: { eq: projectId } };
  return [
    page(graphql.ShellQueryDocument, {}),
    page(graphql.DashboardQueryDocument, { projectId, meetings: inProject, briefs: inProject }),
    page(graphql.ProjectsQueryDocument, {}),
    page(graphql.GoalsQueryDocument, { filter: inProject }),
    page(graphql.MeetingsQueryDocument, { filter: inProject }),
    page(graphql.MeetingQueryDocument, { id: only(rows.meetings).id, segments: 5 }),
    page(graphql.BriefsQueryDocument, {
      filter: { status: { in: ['PENDING_APPROVAL', 'NEEDS_CLARIFICATION', 'APPROVED'] } },
    }),
    page(graphql.BriefQueryDocument, { id: only(rows.prds).id, withCouncil: true, asDownload: true }),
    page(graphql.ApprovalsQueryDocument, {}),
    page(graphql.ActivityQueryDocument, {
      projectId,
      filter: { ...inProject, targetType: { in: ['Meeting', 'PRD', 'ExecutionPlan', 'Ticket'] } },
      first: 12,
    }),
    page(graphql.ActivityItemQueryDocument, { id: only(rows.activity).id }),
    page(graphql.AgentJobsQueryDocument, {}),
    page(graphql.AgentJobQueryDocument, { id: only(rows.agentJobs).id, withPayload: true }),
    page(graphql.LibraryQueryDocument, {}),
    page(graphql.CodeGraphQueryDocument, {
      projectId,
      symbol: 'src/checkout/cart.ts:function:priceOf',
      from: 'src/checkout/order.ts:method:Order.place',
      to: 'src/account/session.ts:interface:Session',
    }),
    page(graphql.SchedulesQueryDocument, {}),
    page(graphql.AnalyticsQueryDocument, {}),
    page(graphql.TeamQueryDocument, {}),
    page(graphql.RolesQueryDocument, {}),
    page(graphql.SkillsQueryDocument, {}),
    page(graphql.SettingsQueryDocument, {}),
  ];
}

/** A page whose variables are held to what its operation takes. */
export function page<Result, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
): Page {
  return { name: operationName(document), document: document as Page['document'], variables };
}

function operationName(document: TypedDocumentNode<unknown, never>): string {
  for (const definition of document.definitions) {
    if (definition.kind === 'OperationDefinition' && definition.name) return definition.name.value;
  }
  throw new Error('the operation has no name');
}

function only<Row>(list: { nodes: Row[] } | null | undefined): Row {
  const [row] = list?.nodes ?? [];
  if (!row) throw new Error('the demo does not have this row');
  return row;
}
