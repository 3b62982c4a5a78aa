// Builds these pages as an application would be built that has installed the packages.
export default {
  base: '/app/',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic' } },
  build: { rollupOptions: { input: ['component.html', 'hook.html', 'seed-react.html'] } },
};
