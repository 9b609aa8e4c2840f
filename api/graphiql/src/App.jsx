import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history';
import { GraphiQLProvider } from '@graphiql/react';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { useMemo } from 'react';
import { Examples } from './Examples.jsx';
import { createFetcher } from './fetcher.js';
import { RoleSwitch, TokenInput } from './SignIn.jsx';
import { useSession } from './session.js';
import { TopBar } from './TopBar.jsx';

const PLUGINS = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN];
const isFirstVisit = localStorage.getItem('graphiql:visiblePlugin') === null;

export function App({ config }) {
  const { endpoint, roles, examples } = config;
  const session = useSession(roles);
  const fetcher = useMemo(() => createFetcher(endpoint, session.token), [endpoint, session.token]);

  return (
    <GraphiQLProvider
      fetcher={fetcher}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      visiblePlugin={isFirstVisit ? DOC_EXPLORER_PLUGIN : undefined}
      defaultQuery={examples[0]?.query ?? '# Write a query here.\n'}
      defaultTabs={examples.slice(0, 1)}
    >
      <HistoryStore>
        <DocExplorerStore>
          <TopBar>
            {examples.length > 0 && <Examples examples={examples} />}
            {roles.length > 0 ? (
              <RoleSwitch roles={roles} {...session} />
            ) : (
              <TokenInput {...session} />
            )}
          </TopBar>
          <GraphiQLInterface
            defaultEditorToolsVisibility="variables"
            showPersistHeadersSettings={false}
          >
            <GraphiQL.Logo>{null}</GraphiQL.Logo>
          </GraphiQLInterface>
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}
