// `npm install && npm run dev` in this folder. WEB is where the page and the client are, from here.
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const web = process.env.WEB ?? here('../../web');

export default {
  base: './', // what `npm run build` makes can lie anywhere
  resolve: { alias: { '@web': web }, dedupe: ['react', 'react-dom'] },
  server: { fs: { allow: [here('.'), web] } },
  oxc: { jsx: { runtime: 'automatic' } },
  build: { target: 'es2022', rollupOptions: { input: ['index.html', 'page.html', 'component.html'].map(here) } },
};
