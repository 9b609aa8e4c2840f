import { createRoot } from 'react-dom/client';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';
import './workers.js';
import { App } from './App.jsx';
import { readConfig } from './config.js';

createRoot(document.getElementById('root')).render(<App config={readConfig()} />);
