-- Prosody 0.12 or newer for offhook, level 3 of 3: the component, delegation (XEP-0355) and privileges (XEP-0356).
-- The bridge sees when clients leave, and can put telephones into the users' contact lists. It can read and change every
-- contact list of this host, and send messages in its users' names: grant that only to a bridge you trust as much as Prosody.
-- On a Prosody of your own you need only what is marked "offhook". Lines marked DECIDE want a look from you.

pidfile = "/run/prosody/prosody.pid"
data_path = "/var/lib/prosody"
log = { info = "*syslog" }
certificates = "certs"

modules_enabled = {
	"roster"; "saslauth"; "tls"; "disco"; "presence"; "message"; "iq";
	"ping"; "version"; "time"; "carbons"; "smacks"; "private"; "vcard_legacy"; "pep"; "blocklist"; "mam";
}
-- DECIDE: remove "s2s" here if your users are to talk to other servers. offhook serves local users only either way.
modules_disabled = { "s2s" }

storage = "internal"
authentication = "internal_hashed"
-- DECIDE: the original system's sample client knows no TLS. For it, and only in a network that nobody else can listen in,
-- set the first to false and the second to true.
c2s_require_encryption = true
allow_unencrypted_plain_auth = false

-- offhook: Prosody has no TLS for components, so the port stays on loopback; elsewhere, put a tunnel in between.
component_interfaces = { "127.0.0.1" }
component_ports = { 5347 }

VirtualHost "example.org"
	-- offhook: the module has to be loaded here and at the component, or nothing is delegated.
	modules_enabled = { "delegation"; "privilege" }
	delegations = {
		["http://www.pascom.net/mobydick"] = { jid = "pbx.example.org" };
	}
	privileged_entities = {
		["pbx.example.org"] = {
			-- Contact lists: read them, and add telephones.
			roster = "both";
			-- Messages in the users' names.
			message = "outgoing";
			-- Presence of all users of this host: the end of a session is noticed at once.
			presence = "managed_entity";
			-- The activity "on the phone" in the users' names (PRESENCE_ACTIVITY).
			iq = { ["http://jabber.org/protocol/pubsub"] = "set" };
		};
	}

-- offhook.
Component "pbx.example.org"
	-- DECIDE: a long random text, the same as XMPP_SECRET of the bridge: openssl rand -hex 32
	component_secret = "CHANGE-ME"
	-- After a connection that died unnoticed the new one takes over. The default, kick_new, would refuse it until the
	-- dead one is found out. Consequence: never run two bridges with one JID, they would throw each other out.
	component_conflict_resolve = "kick_old"
	modules_enabled = { "delegation"; "privilege" }
	-- DECIDE: true lets the component send from its own domain only. false is needed to show telephones as a resource of the
	-- users' own JIDs (user@example.org/phone), and lets whoever knows the secret speak as anybody on this server.
	validate_from_addresses = true
