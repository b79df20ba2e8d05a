/**
 * New files that look like keys or tokens are named and left out. Few false alarms
 * matter more than catching everything: `--force` and ignore files are the user's say.
 */

/** How much of a file is looked at. */
const LOOKED_AT_BYTES = 64 * 1024;

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^\.env(?:\.(?!example$|sample$|template$|dist$).+)?$/i, 'an environment file with secrets'],
  [/^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/i, 'a private SSH key'],
  [/^\.netrc$/i, 'a file of passwords'],
  [/^\.pgpass$/i, 'a file of passwords'],
  [/\.(?:pfx|p12|keystore|jks)$/i, 'a key store'],
];

const CONTENTS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/, 'a private key'],
  [/^wn-recovery-key-1/m, "a workspace's recovery key"],
  [/\bwn-ticket-1[a-z0-9_-]{40}/i, 'a ticket to a workspace'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, 'an AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{36}\b/, 'a GitHub token'],
  [/\bgithub_pat_[A-Za-z0-9_]{60}/, 'a GitHub token'],
  [/\bxox[abprs]-[A-Za-z0-9-]{20}/, 'a Slack token'],
  [/\bAIza[0-9A-Za-z_-]{35}\b/, 'a Google API key'],
  [/^\s*\/\/[^\s:]+:_authToken=(?!\$\{)\S+/m, 'an npm token'],
];

/** What a file looks like, for "looks like …"; null for an ordinary one. */
export function looksSecret(path: string, content: Uint8Array): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  for (const [pattern, what] of NAMES) if (pattern.test(name)) return what;
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.byteLength, LOOKED_AT_BYTES));
  const text = head.toString('latin1');
  for (const [pattern, what] of CONTENTS) if (pattern.test(text)) return what;
  return null;
}
