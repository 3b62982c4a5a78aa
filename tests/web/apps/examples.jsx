// The React examples of docs/frontend.md, one at a time: #component, #hook, #native.
import { createRoot } from 'react-dom/client';

window.told = [];
const show = (element) => createRoot(document.getElementById('root')).render(element);

if (location.hash === '#component') {
  const { PromptPage } = await import('./examples/component.jsx');
  show(<PromptPage goTo={(path) => window.told.push(path)} />);
} else if (location.hash === '#hook') {
  const { MyGenerator } = await import('./examples/hook.jsx');
  show(<MyGenerator />);
} else {
  const { GeneratorScreen } = await import('./examples/native.jsx');
  show(<GeneratorScreen />);
}
