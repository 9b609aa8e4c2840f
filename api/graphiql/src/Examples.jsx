import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { parse } from 'graphql';

export function Examples({ examples }) {
  const open = useOpenExample();

  return (
    <label className="control">
      Examples
      <select value="" onChange={(event) => open(examples[event.target.value])}>
        <option value="" disabled hidden>
          Open…
        </option>
        {examples.map(({ title }, index) => (
          <option key={title} value={index}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

function useOpenExample() {
  const { addTab, changeTab, setOperationFacts, updateActiveTabValues } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }));

  return ({ query, variables }) => {
    const facts = operationFacts(query);
    const opened = tabs.findIndex((tab) => tab.query === query);
    if (opened >= 0) {
      changeTab(opened);
    } else {
      if (queryEditor.getValue().trim()) addTab();
      queryEditor.setValue(query);
      variableEditor.setValue(variables);
      updateActiveTabValues({ query, variables, operationName: facts.operationName });
    }
    setOperationFacts(facts);
  };
}

// The editor works these out a moment after it changes; a quick click on Run must not use the old ones.
function operationFacts(query) {
  const documentAST = parse(query);
  const operations = documentAST.definitions.filter(({ kind }) => kind === 'OperationDefinition');
  return { documentAST, operations, operationName: operations[0]?.name?.value };
}
