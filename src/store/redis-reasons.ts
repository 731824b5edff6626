/** Redis's failures in words that an operator can act on. Never quotes a command: its arguments may be secrets. */

const replies: readonly (readonly [RegExp, string])[] = [
  [/^NOAUTH/, 'Redis wants a password: set REDIS_PASSWORD'],
  [
    /^WRONGPASS|invalid password|invalid username-password/i,
    'Redis refuses the password: check REDIS_PASSWORD',
  ],
  [
    /^NOPERM/,
    'the Redis user lacks a right: docs/operating.md lists what it needs on the keys of REDIS_PREFIX',
  ],
  [/^MARK/, 'Redis was emptied, or is another one: everything is written anew'],
  [/^LOADING/, 'Redis is still loading its data'],
  [/^READONLY/, 'Redis is a read-only replica: point REDIS_URL at the primary'],
  [/^OOM/, 'Redis is full (maxmemory)'],
  [/^MISCONF/, 'Redis takes no writes because it cannot save to its disk'],
  [/^WRONGTYPE/, 'a key below REDIS_PREFIX belongs to another program: choose another prefix'],
  [
    /^MOVED|^CROSSSLOT|^CLUSTERDOWN/,
    'Redis runs as a cluster, which is not supported: use a stand-alone server',
  ],
  [/^MASTERDOWN/, 'the Redis replica has lost its primary'],
  [/max number of clients/, 'Redis has no room for another client'],
  [/DB index|invalid DB/i, 'Redis has no such database: check the number at the end of REDIS_URL'],
];

const codes: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'nobody listens there'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'the host name cannot be resolved'],
  [/^ETIMEDOUT$/, 'no answer in time (with rediss://: does the port speak TLS?)'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'the host cannot be reached'],
  [
    /^(ECONNRESET|EPIPE)$/,
    'the connection was cut (if it is so at once: does the port want TLS, rediss://?)',
  ],
  [/^(ERR_SSL_|EPROTO)/, 'the port does not speak TLS: use redis:// instead of rediss://'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, "the server's certificate is for another host name"],
  [/CERT|ISSUER|SIGNATURE/, "the server's certificate is not trusted: set REDIS_TLS_CA"],
];

/** One sentence on what happened. */
export function reasonOf(error: unknown, host: string, port: number): string {
  const message = replyOf(error);
  const reply = replies.find(([pattern]) => pattern.test(message));
  if (reply) return reply[1];
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const at = `Redis at ${host}:${port}`;
  const network = codes.find(([pattern]) => pattern.test(code));
  if (network) return `${at}: ${network[1]} (${code})`;
  if (/timed out|ETIMEDOUT/i.test(message)) return `${at}: no answer in time`;
  if (/closed|isn't writeable/i.test(message)) return `${at}: the connection is closed`;
  return `${at}: ${message}`;
}

/** The error's text, as Redis gives it outside of scripts. */
function replyOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // COMPAT: Redis before 7 wraps what a script's command was refused with.
  return message.replace(/^ERR Error running script .*?: -?(?=[A-Z]+ )/, '');
}

/** True for an error that another connection may not meet: of who this server is to us, not of what was written. */
export function isRole(error: unknown): boolean {
  return /^(READONLY|NOAUTH|LOADING)/.test(replyOf(error));
}

/** True for an error that Redis answered with: the connection is alive. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
