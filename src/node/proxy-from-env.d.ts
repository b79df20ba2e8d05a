/** The part of `proxy-from-env` that `proxy.ts` uses; the package has no types. */
declare module 'proxy-from-env' {
  /** The proxy that the environment names for this URL; empty where there is none. */
  export function getProxyForUrl(url: string): string;
}
