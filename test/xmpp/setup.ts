/** A component against the small server, torn down with the test. */

import { onTestFinished } from 'vitest';
import type { Log } from '../../src/log.ts';
import { type Component, type ComponentOptions, createComponent } from '../../src/xmpp/component.ts';
import type { XmppState } from '../../src/xmpp/xmpp.ts';
import { type AcceptOptions, type AcceptServer, startAcceptServer } from './accept-server.ts';

export const domain = 'pbx.example.test';
export const secret = 'sécret & <more>';

/** A line that was logged. */
export interface Line {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A log that keeps its lines. */
export function keepLog(): Log & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: unknown, message?: string) => {
    if (typeof fields === 'string') lines.push({ level, fields: {}, message: fields });
    else lines.push({ level, fields: { ...(fields as object) }, message: message ?? '' });
  };
  return {
    lines,
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  };
}

/** Waits short enough for a test; times out late, so that a busy machine changes nothing. */
export const quick = { reconnectMinMs: 20, reconnectMaxMs: 100, refusedMinMs: 30, refusedMaxMs: 200 };

export interface Setup {
  readonly server: AcceptServer;
  readonly component: Component;
  readonly log: ReturnType<typeof keepLog>;
  /** Every state since the start. */
  readonly states: XmppState[];
}

/** Makes both, not started; both end with the test. */
export async function setup(
  options: Partial<ComponentOptions> = {},
  serverOptions: Partial<AcceptOptions> = {},
): Promise<Setup> {
  const server = await startAcceptServer({ domain, secret, ...serverOptions });
  const log = keepLog();
  const { limits, ...others } = options;
  const component = createComponent({
    service: `${serverOptions.tls === undefined ? 'xmpp' : 'xmpps'}://127.0.0.1:${server.port}`,
    domain,
    secret,
    log,
    limits: { ...quick, ...limits },
    ...others,
  });
  const states: XmppState[] = [];
  component.onState((state) => states.push(state));
  onTestFinished(async () => {
    await component.stop(0);
    await server.stop();
  });
  return { server, component, log, states };
}
