import type { TypedDocumentNode } from '@apollo/client';
import { parse } from 'graphql';
import type { Position } from './follow.js';

export interface Project {
  id: string;
  name: string;
}

/** The page that is shown. */
export interface ProjectsPage {
  feedCursor: string;
  projects: { nodes: Project[] };
}

/** What happened; none in a frame that only tells where the stream stands. */
export interface Activity {
  id: string;
  seq: string;
  actor: string;
  action: string;
  targetType: string;
  targetTitle: string | null;
  project: Project | null;
}

export interface ActivityFrame extends Position {
  event: Activity | null;
}

export const PROJECTS = `query Projects {
  feedCursor
  projects { nodes { id name } }
}`;

export const ACTIVITY = `subscription Activity($after: Cursor!) {
  activity(after: $after) {
    cursor position previous
    event { id seq actor action targetType targetTitle project { id name } }
  }
}`;

/** For clients that take documents. Types that fit the schema by themselves: see examples/dashboard. */
export const Projects: TypedDocumentNode<ProjectsPage, Record<string, never>> = parse(PROJECTS);
export const Activities: TypedDocumentNode<{ activity: ActivityFrame }, { after: string }> = parse(ACTIVITY);
