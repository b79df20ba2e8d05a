/**
 * A small HTTP server for whoever watches a daemon: a few fixed paths, GET and HEAD only,
 * nothing of a request but its path looked at. Leaves out what the answers say.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WnError } from '../core/errors.js';
import { HTTP_CONNECTIONS_MAX, HTTP_HEAD_BYTES_MAX, HTTP_REQUEST_MS } from '../core/limits.js';
import type { Place } from './tcp.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export type Answers = Readonly<Record<string, () => Answer | Promise<Answer>>>;

export interface StatusServer {
  readonly place: Place;
  close(): Promise<void>;
}

/** Throws `usage` where the address can't be listened on. */
export async function serveStatus(place: Place, answers: Answers): Promise<StatusServer> {
  const server = createServer(
    {
      maxHeaderSize: HTTP_HEAD_BYTES_MAX,
      requestTimeout: HTTP_REQUEST_MS,
      headersTimeout: HTTP_REQUEST_MS,
      keepAliveTimeout: HTTP_REQUEST_MS,
    },
    answerBy(answers),
  );
  server.maxConnections = HTTP_CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code ?? 'failed';
      reject(
        new WnError('usage', `can't serve HTTP on ${place.host}, port ${place.port} (${why})`, {
          hint: 'nothing is served; give a free port of this machine: --http HOST:PORT',
          cause: error,
        }),
      );
    });
    server.listen(place.port, place.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    place: { host: address, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerBy(answers: Answers): RequestListener {
  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    const send = ({ status, type, body }: Answer): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const say = (status: number, body: string): void =>
      send({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` });
    if (request.method !== 'GET' && request.method !== 'HEAD') say(405, 'GET and HEAD only');
    else if (answer === undefined) say(404, 'not here');
    else Promise.resolve(answer()).then(send, () => say(500, 'failed'));
  };
}
