/**
 * npm install, and with the server's PROMPT_IDENTITY__JWT__ALGORITHM=HS256 and PROMPT_IDENTITY__JWT__SECRET=…:
 *
 *   SERVER=http://127.0.0.1:8000 JWT_SECRET=… ACCOUNT_ID=acc_… npm run dev
 */
const SERVER = process.env.SERVER ?? 'http://127.0.0.1:8000';

// In production nginx sends /api to the server: streams pass it with nothing in between.
export default { rewrites: async () => [{ source: '/api/:path*', destination: `${SERVER}/api/:path*` }] };
