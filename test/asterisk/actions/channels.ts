import { bridgeLines } from '../pbx/bridge.ts';
import { type Channel, snapshot } from '../pbx/channel.ts';
import { lines } from '../pbx/event.ts';
import { variableOf } from './calls.ts';
import type { Action, ListItem } from './define.ts';

/** Actions that list channels and bridges. */
export const channelLists: readonly Action[] = [
  {
    name: 'CoreShowChannels',
    synopsis: 'List currently active channels.',
    privilege: ['system', 'reporting'],
    run({ pbx, list }) {
      const items = [...pbx.channels.values()].map((channel) => ({
        event: 'CoreShowChannel',
        body:
          snapshot(channel) +
          lines([
            ['Application', channel.application],
            ['ApplicationData', channel.data],
            ['Duration', duration(channel)],
            ['BridgeId', channel.bridge?.id ?? ''],
          ]),
      }));
      list('Channels will follow', 'CoreShowChannelsComplete', items);
    },
  },
  {
    name: 'Status',
    synopsis: 'List channel status.',
    privilege: ['system', 'call', 'reporting'],
    run({ pbx, header, list, error }) {
      const name = header('Channel');
      const all = [...pbx.channels.values()];
      const channels = name === '' ? all : all.filter((channel) => channel.name === name);
      if (name !== '' && channels.length === 0) {
        error('No such channel');
        return;
      }
      const names = header('Variables') === '' ? [] : header('Variables').split(',');
      const everything = /^(true|yes|on|1)$/i.test(header('AllVariables'));
      const items = channels.map((channel) =>
        statusItem(channel, everything ? [...channel.variables.keys()] : names),
      );
      list('Channel status will follow', 'StatusComplete', items, `Items: ${items.length}\r\n`);
    },
  },
  {
    name: 'BridgeList',
    synopsis: 'Get a list of bridges in the system.',
    privilege: [],
    run({ pbx, header, list }) {
      const type = header('BridgeType');
      const items = [...pbx.bridges.values()]
        .filter((bridge) => type === '' || bridge.type === type)
        .map((bridge) => ({ event: 'BridgeListItem', body: bridgeLines(bridge) }));
      list('Bridge listing will follow', 'BridgeListComplete', items);
    },
  },
  {
    name: 'BridgeInfo',
    synopsis: 'Get information about a bridge.',
    privilege: [],
    run({ pbx, header, list, error }) {
      const id = header('BridgeUniqueid');
      const bridge = pbx.bridges.get(id);
      if (id === '') error('BridgeUniqueid must be provided');
      else if (bridge === undefined) error(`Bridge not found with id: ${id}`);
      else {
        const items = bridge.channels.map((channel) => ({
          event: 'BridgeInfoChannel',
          body: snapshot(channel),
        }));
        list('Bridge channel listing will follow', 'BridgeInfoComplete', items, bridgeLines(bridge));
      }
    },
  },
];

function statusItem(channel: Channel, variables: readonly string[]): ListItem {
  const calling = channel.dialed ?? '';
  return {
    event: 'Status',
    idLast: true,
    body:
      `Privilege: Call\r\n${snapshot(channel)}` +
      lines([
        ['Type', 'PJSIP'],
        ['DNID', calling],
        ['EffectiveConnectedLineNum', channel.connected?.number || '<unknown>'],
        ['EffectiveConnectedLineName', channel.connected?.name || '<unknown>'],
        ['TimeToHangup', 0],
        ['BridgeID', channel.bridge?.id ?? ''],
        ['Application', channel.application],
        ['Data', channel.data],
        ['Nativeformats', '(ulaw)'],
        ['Readformat', 'ulaw'],
        ['Readtrans', ''],
        ['Writeformat', 'ulaw'],
        ['Writetrans', ''],
        ['Callgroup', channel.line.endpoint.hint ? 2 : 0],
        ['Pickupgroup', channel.line.endpoint.hint ? 2 : 0],
        ['Seconds', Math.floor((Date.now() - channel.since) / 1000)],
        ...variables.map((name) => ['Variable', `${name}=${variableOf(channel, name) ?? ''}`] as const),
      ]),
  };
}

function duration(channel: Channel): string {
  const seconds = Math.floor((Date.now() - channel.since) / 1000);
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join(':');
}
