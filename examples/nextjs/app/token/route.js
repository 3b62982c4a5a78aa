/** A token for the person who is signed in, good for five minutes; the secret that signs it stays on this server. */

import { createHmac } from 'node:crypto';

export const dynamic = 'force-dynamic'; // never answered from a cache
const LASTS_S = 300;

export function GET() {
  const accountId = signedIn();
  if (!accountId) {
    return new Response(null, { status: 401 });
  }
  const claims = { sub: accountId, exp: Math.floor(Date.now() / 1000) + LASTS_S };
  const parts = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)));
  const signed = parts.map((part) => part.toString('base64url')).join('.');
  const signature = createHmac('sha256', process.env.JWT_SECRET).update(signed).digest('base64url');
  const body = { token: `${signed}.${signature}`, lasts_s: LASTS_S };
  return Response.json(body, { headers: { 'Cache-Control': 'no-store' } });
}

/** Your application knows from its session who asks. */
function signedIn() {
  return process.env.ACCOUNT_ID;
}
