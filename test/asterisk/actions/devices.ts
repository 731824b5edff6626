import { channelsOf, deviceState, deviceStateWords, extensionLines } from '../pbx/device.ts';
import { lines } from '../pbx/event.ts';
import { contactUri, type Line } from '../pbx/pbx.ts';
import type { Action, ListItem } from './define.ts';

/** Actions on devices, hints and endpoints. */
export const deviceActions: readonly Action[] = [
  {
    name: 'DeviceStateList',
    synopsis: 'List the current known device states.',
    privilege: ['call', 'reporting'],
    run({ pbx, list }) {
      const devices: [string, string][] = [];
      for (const queue of pbx.queues.values()) {
        devices.push([`Queue:${queue.name}_avail`, queue.available ? 'NOT_INUSE' : 'INUSE']);
      }
      for (const box of pbx.mailboxes.values()) {
        devices.push([`MWI:${box.number}@default`, box.unread > 0 ? 'INUSE' : 'NOT_INUSE']);
      }
      for (const endpoint of pbx.endpoints.values()) {
        devices.push([`PJSIP/${endpoint.number}`, deviceState(pbx, endpoint)]);
      }
      const items = devices.map(([device, state]) => ({
        event: 'DeviceStateChange',
        body: lines([
          ['Device', device],
          ['State', state],
        ]),
      }));
      list('Device State Changes will follow', 'DeviceStateListComplete', items);
    },
  },
  {
    name: 'ExtensionStateList',
    synopsis: 'List the current known extension states.',
    privilege: ['call', 'reporting'],
    run({ pbx, list }) {
      const items = [...pbx.endpoints.values()]
        .filter((endpoint) => endpoint.hint)
        .map((endpoint) => ({
          event: 'ExtensionStatus',
          body: extensionLines(endpoint, deviceState(pbx, endpoint)),
        }));
      list('Extension Statuses will follow', 'ExtensionStateListComplete', items);
    },
  },
  {
    name: 'ExtensionState',
    synopsis: 'Check Extension Status.',
    privilege: ['call', 'reporting'],
    run({ pbx, header, ok, error }) {
      const exten = header('Exten');
      if (exten === '') {
        error('Extension not specified');
        return;
      }
      const endpoint = pbx.endpoints.get(exten);
      const hint = endpoint?.hint === true ? extensionLines(endpoint, deviceState(pbx, endpoint)) : undefined;
      const part = (key: string) => new RegExp(`^${key}: (.*)\\r$`, 'm').exec(hint ?? '')?.[1];
      ok('Extension Status', [
        ['Exten', exten],
        ['Context', header('Context') || 'default'],
        ['Hint', part('Hint') ?? ''],
        ['Status', part('Status') ?? '-1'],
        ['StatusText', part('StatusText') ?? 'Unknown'],
      ]);
    },
  },
  {
    name: 'PJSIPShowEndpoints',
    synopsis: 'Lists PJSIP endpoints.',
    privilege: ['system'],
    run({ pbx, list }) {
      const items = [...pbx.endpoints.values()].map((endpoint) => ({
        event: 'EndpointList',
        body: lines([
          ['ObjectType', 'endpoint'],
          ['ObjectName', endpoint.number],
          ['Transport', 'transport-udp'],
          ['Aor', endpoint.number],
          ['Auths', endpoint.hint ? endpoint.number : ''],
          ['OutboundAuths', ''],
          ['Contacts', contacts(endpoint.lines)],
          ['DeviceState', deviceStateWords(deviceState(pbx, endpoint))],
          ['ActiveChannels', channelsOf(pbx, endpoint).length],
        ]),
      }));
      list('A listing of Endpoints follows, presented as EndpointList events', 'EndpointListComplete', items);
    },
  },
  {
    name: 'PJSIPNotify',
    synopsis: 'Send a NOTIFY to either an endpoint, an arbitrary URI, or inside a SIP dialog.',
    privilege: ['system'],
    run({ pbx, action, header, ok, error }) {
      if (header('Variable') === '') {
        error('PJSIPNotify requires either an Option or Variable(s).You must use only one of them.');
        return;
      }
      const targets = ['Endpoint', 'URI', 'Channel'].filter((name) => header(name) !== '');
      if (targets.length !== 1) {
        const hint = targets.length === 0 ? '' : '  You must use only one of them.';
        error(`PJSIPNotify requires either an endpoint name, a SIP URI, or a channel.${hint}`);
        return;
      }
      const endpoint = pbx.endpoints.get(header('Endpoint'));
      if (endpoint === undefined) {
        error(`Unable to retrieve endpoint ${header('Endpoint')}`);
        return;
      }
      ok('NOTIFY sent');
      const variables = action.headers.filter(([name]) => name.toLowerCase() === 'variable');
      const [, event] = variables.map(([, value]) => /^Event=(.*)$/.exec(value)).find(Boolean) ?? [];
      for (const line of endpoint.lines.filter(({ registered }) => registered)) {
        line.notified.push(event ?? '');
        if (event !== 'talk') continue;
        [...pbx.channels.values()]
          .find((channel) => channel.line === line && channel.ringing)
          ?.ringing?.answered();
      }
      pbx.settle();
    },
  },
  {
    name: 'PJSIPShowContacts',
    synopsis: 'Lists PJSIP Contacts.',
    privilege: ['system'],
    run({ pbx, list }) {
      const items = [...pbx.endpoints.values()]
        .flatMap((endpoint) => endpoint.lines)
        .filter((line) => line.registered)
        .map((line) => contactItem(line));
      list('A listing of Contacts follows, presented as ContactList events', 'ContactListComplete', items);
    },
  },
];

function contacts(all: readonly Line[]): string {
  return all
    .filter((line) => line.registered)
    .map((line) => `${line.endpoint.number}/${contactUri(line)},`)
    .join('');
}

function contactItem(line: Line): ListItem {
  const { number } = line.endpoint;
  return {
    event: 'ContactList',
    body: lines([
      ['ObjectType', 'contact'],
      ['ObjectName', `${number};@${line.port.toString(16).padStart(32, '0')}`],
      ['ViaAddr', '127.0.0.1'],
      ['QualifyTimeout', '3.000000'],
      ['Qualify2xxOnly', 'false'],
      ['CallId', line.port.toString(16).padStart(16, '0')],
      ['RegServer', ''],
      ['PruneOnBoot', 'no'],
      ['Path', ''],
      ['Endpoint', number],
      ['ViaPort', line.port],
      ['AuthenticateQualify', 'no'],
      ['Uri', contactUri(line)],
      ['QualifyFrequency', 0],
      ['UserAgent', 'simulator'],
      ['ExpirationTime', Math.floor(Date.now() / 1000) + 3600],
      ['OutboundProxy', ''],
      ['Status', 'NonQualified'],
      ['RoundtripUsec', 'N/A'],
    ]),
  };
}
