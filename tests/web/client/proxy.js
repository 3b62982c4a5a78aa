/** A real HTTP proxy before the real server, that fails on demand as networks and other proxies do. */

import http from 'node:http';

export class Proxy {
  #target;
  #server;
  #sockets = new Set();
  #port = 0;

  /** Every request that came, in order: {method, path, headers, body, at, closedEarly}. */
  requests = [];

  /**
   * Decides what happens to a request: undefined passes it on; 'reset' cuts it; 'hold' passes nothing of the answer back;
   * {cutAfter: bytes} cuts the answer; {status, type, body} answers instead of the server, and with `againMs` sends the body
   * again and again.
   */
  fault = (_request) => undefined;

  /** @param {string} target */
  constructor(target) {
    this.#target = new URL(target);
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get api() {
    return `${this.url}/api/v1/web-knowledge`;
  }

  /** Requests whose path contains `part`. */
  asked(part) {
    return this.requests.filter(({ path }) => path.includes(part));
  }

  async up() {
    this.#server = http.createServer((request, response) => this.#pass(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = this.#server.address().port;
    return this;
  }

  /** Nobody listens any more, and open connections are cut. */
  async down() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#sockets.forEach((socket) => socket.destroy());
    await closed;
  }

  #pass(request, response) {
    const seen = {
      method: request.method,
      path: request.url,
      headers: request.headers,
      body: '',
      at: Date.now(),
      closedEarly: false,
    };
    request.on('data', (data) => (seen.body += data));
    this.requests.push(seen);
    const fault = this.fault(seen);
    if (fault === 'reset') {
      request.socket.destroy();
      return;
    }
    if (fault?.status) {
      response.writeHead(fault.status, { 'Content-Type': fault.type ?? 'text/html', ...fault.headers });
      if (fault.againMs) {
        const again = setInterval(() => response.write(fault.body), fault.againMs);
        response.on('close', () => clearInterval(again));
      } else {
        response.end(fault.body ?? '');
      }
      return;
    }
    const { hostname, port } = this.#target;
    const options = { hostname, port, method: request.method, path: request.url, headers: request.headers };
    const onward = http.request(options, (answer) => this.#answer(answer, response, fault));
    onward.on('error', () => response.destroy());
    response.on('close', () => {
      seen.closedEarly = !response.writableFinished;
      onward.destroy();
    });
    request.pipe(onward);
  }

  #answer(answer, response, fault) {
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    if (fault === 'hold') {
      answer.resume();
      return;
    }
    let left = fault?.cutAfter ?? Infinity;
    const { socket } = response;
    answer.on('data', (bytes) => {
      if (left > 0) {
        response.write(bytes.subarray(0, left), () => left <= 0 && socket.destroy());
        left -= bytes.length;
      }
    });
    answer.on('end', () => left > 0 && response.end());
    answer.on('error', () => response.destroy());
  }
}
