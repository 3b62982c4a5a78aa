/**
 * Where the server has the account: beside web-knowledge. Not in transport.js, because those who only generate load it.
 *
 * @param {import('./transport.js').Transport} transport
 * @param {string} [path] below the account
 */
export function accountAddress({ base }, path = '') {
  return base.replace(/[^/]*$/, 'account/') + path;
}
