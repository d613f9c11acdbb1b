import { render } from 'preact';
import { App } from './app';
import { interceptLinks } from './lib/router';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/data.css';

interceptLinks();
const root = document.getElementById('portal');
if (root) render(<App />, root);
