"""A standard XMPP client under remote control: one JSON object a line in, one out.

usage: slixmpp_client.py JID PASSWORD HOST PORT
in:    {"id": 1, "do": "disco" | "ping" | "add" | "remove" | "fields" | "search" | "card", "jid": "..."}
out:   {"event": "online" | "failed" | "presence" | "message", ...} or {"id": 1, "ok": ..., "error": ...}
"""
import asyncio
import json
import sys
from xml.etree import ElementTree

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout


def tell(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Client(ClientXMPP):
    def __init__(self, jid, password):
        # Loopback without TLS: nothing else of what a user gets by default is changed.
        unencrypted = {"unencrypted_plain": True, "unencrypted_scram": True}
        super().__init__(jid, password, plugin_config={"feature_mechanisms": unencrypted})
        for plugin in ("xep_0030", "xep_0199", "xep_0115", "xep_0054", "xep_0055", "xep_0172"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("failed_all_auth", lambda _: tell(event="failed", reason="authentication"))
        self.add_event_handler("disconnected", lambda reason: tell(event="failed", reason=str(reason)))
        self.add_event_handler("presence", self.presence)
        self.add_event_handler("message", lambda m: tell(event="message", sender=str(m["from"]), type=m["type"]))

    async def started(self, _):
        await self.get_roster()
        self.send_presence()
        tell(event="online", jid=str(self.boundjid))

    def presence(self, stanza):
        tell(event="presence", sender=str(stanza["from"]), type=stanza["type"], status=stanza["status"])
        # Later, for the library makes of it what a contact list shows only after this.
        self.loop.call_soon(self.show, stanza["from"].bare)

    def show(self, jid):
        contact = self.client_roster[jid]
        resources = {name: {"show": r["show"], "status": r["status"]} for name, r in contact.resources.items()}
        tell(event="contact", jid=jid, resources=resources, subscription=contact["subscription"])

    async def carry_out(self, wish):
        jid = wish["jid"]
        if wish["do"] == "disco":
            info = await self["xep_0030"].get_info(jid=jid)
            query = info["disco_info"]
            identities = [list(identity[:2]) + [identity[3]] for identity in query["identities"]]
            return {"identities": identities, "features": sorted(query["features"])}
        if wish["do"] == "ping":
            await self["xep_0199"].send_ping(jid)
            return True
        if wish["do"] == "add":
            await self.update_roster(jid, name=wish.get("name", ""))
            self.send_presence_subscription(pto=jid, ptype="subscribe")
            return True
        if wish["do"] == "remove":
            await self.del_roster_item(jid)
            return True
        if wish["do"] == "fields":
            iq = self.make_iq_get(queryxmlns="jabber:iq:search", ito=jid)
            form = (await iq.send())["search"]["form"]
            return list(form.get_fields())
        if wish["do"] == "search":
            iq = self["xep_0055"].make_search_iq(ito=jid)
            for name, value in wish["values"].items():
                iq["search"]["form"].add_field(name, value=value)
            form = (await iq.send())["search"]["form"]
            return {"reported": list(form.get_reported()), "items": [dict(item) for item in form["items"]]}
        if wish["do"] == "card":
            card = self["xep_0054"].make_vcard()
            card["FN"] = wish["name"]
            tel = ElementTree.SubElement(card.xml, "{vcard-temp}TEL")
            for mark in ("CELL", "VOICE"):
                ElementTree.SubElement(tel, "{vcard-temp}" + mark)
            ElementTree.SubElement(tel, "{vcard-temp}NUMBER").text = wish["number"]
            await self["xep_0054"].publish_vcard(card)
            return True
        raise ValueError(wish["do"])

    async def obey(self, wish):
        try:
            tell(id=wish["id"], ok=await self.carry_out(wish))
        except IqError as error:
            tell(id=wish["id"], error=error.condition)
        except IqTimeout:
            tell(id=wish["id"], error="timeout")
        except Exception as error:
            tell(id=wish["id"], error=repr(error))


async def main(jid, password, host, port):
    client = Client(jid, password)
    client.connect((host, int(port)), disable_starttls=True, force_starttls=False)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        asyncio.ensure_future(client.obey(json.loads(line)))
    await client.disconnect()


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main(*sys.argv[1:]))
