/** What a started XMPP server looks like, Prosody or ejabberd. */
import type { OnProgress } from './debian.ts';
import type { Server } from './server.ts';

/** An account; its JID is `name@domain`. */
export interface XmppUser {
  /** Local part of the JID. */
  readonly name: string;
  readonly password: string;
}

/** The external component that may connect (XEP-0114). */
export interface XmppComponent {
  readonly jid: string;
  readonly secret: string;
}

/** What both servers can be told. */
export interface XmppOptions {
  readonly domain: string;
  readonly users: readonly XmppUser[];
  readonly component: XmppComponent;
  /** Namespaces whose IQs the server hands to the component (XEP-0355). Default: none. */
  readonly delegate?: readonly string[];
  /** Lets the component use privileges (XEP-0356): roster, outgoing messages, presence of the users. Default: false. */
  readonly privilege?: boolean;
  /** Lets the component send from any address, also users' own. Default: false. */
  readonly anySender?: boolean;
  readonly onProgress?: OnProgress;
}

/** A running XMPP server. SASL works without TLS on its loopback port. */
export interface XmppServer extends Server {
  readonly domain: string;
  readonly component: XmppComponent;
  /** RFC 6120 clients: `xmpp://host:c2sPort`. */
  readonly c2sPort: number;
  /** XEP-0114 components: `xmpp://host:componentPort`. */
  readonly componentPort: number;
  /** Makes a further account while it runs. */
  adduser(user: XmppUser): Promise<void>;
}
