/**
 * Connections through an HTTP proxy, where the environment names one (HTTPS_PROXY,
 * HTTP_PROXY, ALL_PROXY, NO_PROXY): CONNECT (RFC 9110, 9.3.6), which makes a pipe to where
 * we want to go. Leaves out SOCKS, and any login but a name and a password.
 */
import { request as overHttp, STATUS_CODES } from 'node:http';
import { request as overHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { getProxyForUrl } from 'proxy-from-env';
import { WnError } from '../core/errors.js';
import { CONNECT_MS, HTTP_HEAD_BYTES_MAX } from '../core/limits.js';
import { dialTcp, type Place } from './tcp.js';

/**
 * A connection to `place`, directly or through the proxy for it: that for https if what is
 * spoken there is `encrypted`, else that for http. Throws `unreachable`.
 */
export function reachTcp(
  place: Place,
  encrypted: boolean,
  connectMs = CONNECT_MS,
): Promise<Socket> {
  const proxy = proxyFor(place, encrypted);
  return proxy === null ? dialTcp(place, connectMs) : connectThrough(proxy, place, connectMs);
}

function proxyFor(place: Place, encrypted: boolean): URL | null {
  const scheme = encrypted ? 'https' : 'http';
  const named = getProxyForUrl(`${scheme}://${shown(place)}`);
  if (named === '') return null;
  const proxy = parsed(schemeOf(named));
  if (proxy === null) {
    throw failed('the proxy that the environment names has no address that can be read', {
      hint: 'as in HTTPS_PROXY=http://user:password@host:port; special characters as %40',
    });
  }
  if (proxy.protocol === 'http:' || proxy.protocol === 'https:') return proxy;
  const kind = proxy.protocol.slice(0, -1);
  throw failed(`the proxy ${proxy.host} is of a kind that wn does not speak: ${kind}`, {
    hint: withoutProxy(place, 'name an HTTP proxy in HTTPS_PROXY'),
  });
}

/** Without a scheme a proxy speaks plain HTTP, as for curl; the package takes that of the target. */
function schemeOf(named: string): string {
  const bare = named.slice(named.indexOf('://') + 3);
  const asGiven = ['https_proxy', 'http_proxy', 'all_proxy'].flatMap((name) => [
    process.env[name],
    process.env[name.toUpperCase()],
  ]);
  return asGiven.includes(bare) ? `http://${bare}` : named;
}

function parsed(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}

function connectThrough(proxy: URL, place: Place, connectMs: number): Promise<Socket> {
  const target = shown(place);
  const send = proxy.protocol === 'https:' ? overHttps : overHttp;
  const request = send({
    method: 'CONNECT',
    hostname: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? (proxy.protocol === 'https:' ? 443 : 80) : Number(proxy.port),
    path: target,
    headers: { Host: target, ...loginOf(proxy) },
    agent: false,
    maxHeaderSize: HTTP_HEAD_BYTES_MAX,
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      request.destroy();
      reject(
        failed(`no connection to ${target} through the proxy ${proxy.host}: ${why}`, {
          hint: withoutProxy(place, 'nothing was exchanged; check HTTPS_PROXY and HTTP_PROXY'),
        }),
      );
    };
    const timer = setTimeout(() => fail('no answer in time'), connectMs);
    request.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        fail(`it answers ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trimEnd());
        return;
      }
      clearTimeout(timer);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      if (head.byteLength > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('response', () => fail('it does not speak CONNECT'));
    request.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    request.end();
  });
}

/** Name and password stand in the proxy's address, percent-encoded. */
function loginOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const plain = [username, password].map(unescaped).join(':');
  return { 'Proxy-Authorization': `Basic ${Buffer.from(plain).toString('base64')}` };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

const shown = ({ host, port }: Place): string => `${bracketed(host)}:${port}`;

function withoutProxy({ host }: Place, besides: string): string {
  return `${besides}; to go there without a proxy: NO_PROXY=${bracketed(host)}`;
}

function failed(message: string, { hint }: { readonly hint: string }): WnError {
  return new WnError('unreachable', message, { hint, details: { reason: 'no_connection' } });
}
