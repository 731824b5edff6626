/** Why a stream ended, in words that tell an operator what to check. */

import type { LtxElement } from '@xmpp/component';
import { showTarget, type Target } from './service.ts';

/** The end of one connection, or of an attempt at one. */
export interface StreamEnd {
  readonly reason: string;
  /** The server does not want us as we are: trying again soon helps nobody. */
  readonly refused: boolean;
}

/** The next attempt would meet the same answer, until somebody changes something. */
const refusals = new Set(['not-authorized', 'conflict', 'host-unknown']);

/** Stream error conditions (RFC 6120 §4.9.3) that somebody has to do something about. */
function advice(condition: string, domain: string): string | undefined {
  switch (condition) {
    case 'not-authorized':
      return 'the server refused the component secret: compare XMPP_SECRET with component_secret (Prosody) or the password of ejabberd_service';
    case 'conflict':
      return `another process is connected as ${domain}, or took over from this one: run exactly one bridge per component JID`;
    case 'host-unknown':
      return `the server knows no component ${domain}: compare the component's JID with the server's Component section (Prosody) or the hosts of ejabberd_service`;
    case 'invalid-from':
    case 'improper-addressing':
      return `the server accepts stanzas only from addresses of ${domain}, each with a recipient`;
    case 'policy-violation':
      return 'the server found a stanza too large or too many of them: see component_stanza_size_limit (Prosody) or max_stanza_size and shaper (ejabberd)';
    default:
      return undefined;
  }
}

/** Reads a stream error. */
export function streamErrorEnd(error: LtxElement, domain: string): StreamEnd {
  const parts = error.children.filter((node): node is LtxElement => typeof node !== 'string');
  const condition = parts.find(({ name }) => name !== 'text')?.name ?? 'undefined-condition';
  const said = (parts.find(({ name }) => name === 'text')?.children ?? [])
    .filter((node) => typeof node === 'string')
    .join('');
  const words = advice(condition, domain);
  const detail = [condition, said.trim()]
    .filter((text) => text !== '')
    .join(': ')
    .slice(0, 300);
  return {
    reason: `${words ?? 'the server ended the stream'} (${detail})`,
    refused: refusals.has(condition),
  };
}

/** Reads an error of TCP, TLS, the name service or the library. */
export function failureEnd(error: Error, target: Target): StreamEnd {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return {
    reason: `${wordsFor(code, showTarget(target), error)} (${code || error.message})`,
    refused: false,
  };
}

function wordsFor(code: string, where: string, error: Error): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${where}: is the XMPP server up, and is this its component port?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name of ${where} does not resolve`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${where} cannot be reached`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `the connection to ${where} was cut`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return `${where} does not speak TLS: use xmpp:// unless the listener has TLS`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the certificate of ${where} is not signed by an authority we know: give us its CA certificate`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${where} is not valid: ${error.message}`;
    default:
      return `the stream to ${where} broke`;
  }
}
