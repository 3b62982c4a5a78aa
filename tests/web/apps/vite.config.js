// Builds these pages as an application would be built that has installed the packages.
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  base: '/app/',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic' } },
  resolve: {
    alias: { 'react-native': here('react-native.jsx'), '@react-native-community/netinfo': here('netinfo.js') },
  },
  build: {
    target: 'esnext',
    rollupOptions: {
      input: (process.env.PAGES ?? 'component.html,custom.html,hook.html,examples.html,server-rendered.html').split(
        ',',
      ),
    },
  },
};
