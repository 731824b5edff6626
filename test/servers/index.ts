/** Real servers and phones for tests and the demo; README.md tells how. */
export {
  type AsteriskOptions,
  type AsteriskServer,
  type ManagerLogin,
  startAsterisk,
  trunkHost,
} from './asterisk.ts';
export { type Extension, type ManagerAccount, office } from './asterisk-config.ts';
export { cacheFolder } from './cache.ts';
export type { OnProgress, Progress } from './debian.ts';
export { type EjabberdOptions, type EjabberdServer, startEjabberd } from './ejabberd.ts';
export { type RunFolder, runFolder } from './folders.ts';
export { type Incoming, type Phone, type PhoneOptions, startPhone } from './phone.ts';
export { accepts, freePort, loopback } from './ports.ts';
export { installedProsody, type ProsodyOptions, startProsody } from './prosody.ts';
export { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
export { openRelay, type Relay } from './relay.ts';
export type { Server } from './server.ts';
export { shownByPhones } from './shown.ts';
export type { Call, CallState } from './sip/call.ts';
export type { Party } from './sip/message.ts';
export { type SippEvent, type SippOptions, type SippPhone, startSippPhone } from './sipp.ts';
export { ServersUnavailable } from './unavailable.ts';
export { until } from './until.ts';
export type { XmppComponent, XmppOptions, XmppServer, XmppUser } from './xmpp.ts';
