/**
 * New files that look like keys or tokens are named and left out of a commit: what was
 * synced once can't be called back. Few false alarms matter more than catching all;
 * `--force` is the user's say. Leaves out files that are tracked already.
 */
import { SECRET_HEAD_BYTES } from '../core/limits.js';

type Sign = readonly [pattern: RegExp, what: string];

const NAMES: readonly Sign[] = [
  [/^\.env(?:\.(?!(?:example|sample|template|dist)$).+)?$/i, 'an environment file with secrets'],
  [/^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/i, 'a private SSH key'],
  [/^(?:[._]netrc|\.pgpass|\.git-credentials)$/i, 'a file of passwords'],
  [/\.(?:pfx|p12|keystore|jks|kdbx)$/i, 'a key store'],
];

/** Each names enough of the real thing that a mention in prose isn't taken for it. */
const CONTENTS: readonly Sign[] = [
  [
    /-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----\s{1,4}(?:[A-Za-z-]+: [^\n]*\n){0,4}\s{0,4}[A-Za-z0-9+/=]{32}/,
    'a private key',
  ],
  [/^PuTTY-User-Key-File-\d/m, 'a private SSH key'],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b/, 'a private key of age'],
  [/^wn-recovery-key-\d+\s[^]{0,2000}^key: *[0-9a-z]{4,6}-/im, "a workspace's recovery key"],
  [/\bwn-ticket-\d+\.[A-Za-z0-9_-]{40}/, 'a ticket to a workspace'],
  [/\b(?:AKIA|ASIA)(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}\b/, 'an AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{36}\b/, 'a GitHub token'],
  [/\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{20}\b/, 'a GitLab token'],
  [/\bxox[abeprs]-[A-Za-z0-9-]{20}/, 'a Slack token'],
  [/\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/, 'a Google API key'],
  [/\bsk_live_[A-Za-z0-9]{24}/, 'a Stripe key'],
  [/\bsk-ant-[a-z0-9]{4,8}-[A-Za-z0-9_-]{40}/, 'an Anthropic API key'],
  [/\bnpm_[A-Za-z0-9]{36}\b/, 'an npm token'],
  [/:_(?:authToken|password|auth)=(?!\$\{)[^\s]{8}/, 'an npm token'],
];

/**
 * What a file looks like, to complete "looks like …"; null for an ordinary one. Looks at
 * the name and the first `SECRET_HEAD_BYTES` of `content`.
 */
export function looksSecret(path: string, content: Uint8Array): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  for (const [pattern, what] of NAMES) if (pattern.test(name)) return what;
  const text = Buffer.from(content.subarray(0, SECRET_HEAD_BYTES)).toString('latin1');
  for (const [pattern, what] of CONTENTS) if (pattern.test(text)) return what;
  return null;
}
