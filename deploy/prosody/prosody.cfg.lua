-- Prosody 0.12 or newer for offhook; what docker-compose.yml mounts.
-- On a Prosody of your own you need only the last section, with the secret written out.
-- ENV_NAME is the environment variable NAME (a feature of Prosody).

pidfile = "/tmp/prosody.pid"
data_path = "/var/lib/prosody"
log = { info = "*console" }
certificates = "certs"

modules_enabled = {
	"roster"; "saslauth"; "tls"; "disco"; "presence"; "message"; "iq";
	"ping"; "version"; "time"; "carbons"; "smacks"; "private"; "vcard_legacy"; "pep"; "blocklist"; "mam";
}
-- DECIDE: remove "s2s" here if your users are to talk to other servers. offhook serves local users only either way.
modules_disabled = { "s2s" }

storage = "internal"
authentication = "internal_hashed"
-- Clients need TLS, that is, a certificate in "certs". Without it only on a machine that nobody else can reach.
c2s_require_encryption = ENV_XMPP_ALLOW_PLAINTEXT ~= "true"
allow_unencrypted_plain_auth = ENV_XMPP_ALLOW_PLAINTEXT == "true"

-- Components speak without TLS on Prosody (component_ssl_ports opens no listener), so this port belongs on loopback
-- or, as here, on a network between containers that is never published.
component_interfaces = { "*" }
component_ports = { 5347 }

-- The first of XMPP_USER_DOMAINS, else pbx.example.org -> example.org
local domains = ENV_XMPP_USER_DOMAINS or ""
VirtualHost (domains:match("^%s*([^%s,]+)") or ENV_XMPP_COMPONENT:match("^[^.]+%.(.+)$"))

-- offhook.
Component (ENV_XMPP_COMPONENT)
	component_secret = ENV_XMPP_SECRET
	-- After a connection that died unnoticed the new one takes over. The default, kick_new, would refuse it until the
	-- dead one is found out. Consequence: never run two bridges with one JID, they would throw each other out.
	component_conflict_resolve = "kick_old"
