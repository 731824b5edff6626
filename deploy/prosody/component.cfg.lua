-- Prosody 0.12 or newer for offhook, level 1 of 3: the component, and nothing else.
-- Clients send their commands to pbx.example.org. Level 2: delegation.cfg.lua; level 3: privileges.cfg.lua.
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

-- offhook.
Component "pbx.example.org"
	-- DECIDE: a long random text, the same as XMPP_SECRET of the bridge: openssl rand -hex 32
	component_secret = "CHANGE-ME"
	-- After a connection that died unnoticed the new one takes over. The default, kick_new, would refuse it until the
	-- dead one is found out. Consequence: never run two bridges with one JID, they would throw each other out.
	component_conflict_resolve = "kick_old"
