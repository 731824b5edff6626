"""A standard XMPP client under remote control: one JSON object a line in, one out.

usage: slixmpp_client.py JID PASSWORD HOST PORT
in:    {"id": 1, "do": "disco" | "ping" | "add" | "remove" | "fields" | "search" | "card", "jid": "..."}
       {"id": 2, "do": "files", "jid": "", "offset": 0} takes the files that are offered from now on, each from a place on;
       {"id": 3, "do": "set", "jid": "...", "payload": "<xml/>"} sends an IQ
out:   {"event": "online" | "failed" | "presence" | "message" | "file", ...} or {"id": 1, "ok": ..., "error": ...}
"""
import asyncio
import base64
import json
import sys
from xml.etree import ElementTree

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0096 import File
from slixmpp.xmlstream import ET, tostring
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import StanzaPath


def tell(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Client(ClientXMPP):
    def __init__(self, jid, password):
        # Loopback without TLS: nothing else of what a user gets by default is changed.
        unencrypted = {"unencrypted_plain": True, "unencrypted_scram": True}
        super().__init__(jid, password, plugin_config={"feature_mechanisms": unencrypted})
        for plugin in ("xep_0030", "xep_0199", "xep_0115", "xep_0054", "xep_0055", "xep_0066", "xep_0172"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("failed_all_auth", lambda _: tell(event="failed", reason="authentication"))
        self.add_event_handler("disconnected", lambda reason: tell(event="failed", reason=str(reason)))
        self.add_event_handler("presence", self.presence)
        self.add_event_handler("message", self.message)
        self.taking = None

    def message(self, m):
        tell(event="message", sender=str(m["from"]), type=m["type"], body=m["body"], link=m["oob"]["url"])

    def take_files(self, offset):
        """From now on this client says that it takes files, and takes what it is offered."""
        if self.taking is None:
            for plugin in ("xep_0047", "xep_0095", "xep_0096"):
                self.register_plugin(plugin)
                self[plugin].session_bind(self.boundjid)
            # COMPAT: slixmpp 1.8.3 has this handler as a coroutine that nobody awaits.
            self.remove_handler("SI Request")
            handle = self["xep_0095"]._handle_request
            self.register_handler(CoroutineCallback("SI Request", StanzaPath("iq@type=set/si"), handle))
            self["xep_0095"].unregister_method("http://jabber.org/protocol/bytestreams")
            self.add_event_handler("si_request", self.offered)
        self.taking = offset

    async def offered(self, iq):
        offer, sid, sender = iq["si"]["file"], iq["si"]["id"], iq["from"]
        about = {"name": offer["name"], "size": int(offer["size"]), "desc": offer["desc"]}
        part = None
        if self.taking:
            part = File()
            part["range"]["offset"] = str(self.taking)

        async def receive(stream):
            data = await stream.gather(timeout=60)
            tell(event="file", offset=self.taking, data=base64.b64encode(data).decode(), **about)

        await self["xep_0095"].accept(sender, sid, payload=part, ifrom=iq["to"], stream_handler=receive)

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
        if wish["do"] == "files":
            self.take_files(wish["offset"])
            return True
        if wish["do"] == "set":
            iq = self.make_iq_set(ito=jid, sub=ET.fromstring(wish["payload"]))
            answer = await iq.send()
            return tostring(answer.xml)
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
