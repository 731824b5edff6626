/** Digest authentication with MD5 (RFC 3261 §22, RFC 2617 §3.2.2). */
import { createHash, randomBytes } from 'node:crypto';

/** Whose request it is. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The value of the Authorization header that answers `challenge`. */
export function answerChallenge(challenge: string, method: string, uri: string, login: Credentials): string {
  const field = (name: string) => new RegExp(`${name}="?([^",]*)"?`, 'i').exec(challenge)?.[1] ?? '';
  const [realm, nonce, opaque, qop] = [field('realm'), field('nonce'), field('opaque'), field('qop')];
  const secret = md5(`${login.username}:${realm}:${login.password}`);
  const request = md5(`${method}:${uri}`);
  const cnonce = randomBytes(8).toString('hex');
  const response = md5([secret, nonce, ...(qop ? ['00000001', cnonce, 'auth'] : []), request].join(':'));
  const fields = [
    `username="${login.username}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    'algorithm=MD5',
    ...(opaque ? [`opaque="${opaque}"`] : []),
    ...(qop ? [`qop=auth, nc=00000001, cnonce="${cnonce}"`] : []),
  ];
  return `Digest ${fields.join(', ')}`;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
