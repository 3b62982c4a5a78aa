// `npm install && npm run dev` in this folder, with the server of `make run` beside it: requests to /api go there.
export default {
  server: { proxy: { '/api': process.env.SERVER ?? 'http://127.0.0.1:8000' } },
  oxc: { jsx: { runtime: 'automatic' } },
};
