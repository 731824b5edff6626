import { compile } from '../ami/filter.ts';
import { peerOf } from '../pbx/bridge.ts';
import { techCauseOf } from '../pbx/cause.ts';
import { type Channel, connect, identify, setVariable } from '../pbx/channel.ts';
import { exists } from '../pbx/dialplan.ts';
import { lines } from '../pbx/event.ts';
import type { Pbx } from '../pbx/pbx.ts';
import { hangup } from '../pbx/talk.ts';
import { blindTransfer, redirect, redirectBoth } from '../pbx/transfer.ts';
import { parseCallerId } from './callerid.ts';
import type { Action } from './define.ts';

/** Actions on channels that exist. */
export const callActions: readonly Action[] = [
  {
    name: 'Hangup',
    synopsis: 'Hangup channel.',
    privilege: ['system', 'call'],
    run({ pbx, header, ok, error }) {
      const name = header('Channel');
      if (name === '') {
        error('No channel specified');
        return;
      }
      const found = name.startsWith('/') ? matching(pbx, name) : channelNamed(pbx, name);
      if (found === undefined) {
        error(`Regex compile failed on: ${name}`);
        return;
      }
      if (found.length === 0) {
        error('No such channel');
        return;
      }
      const cause = Number.parseInt(header('Cause'), 10);
      ok(found.length === 1 && !name.startsWith('/') ? 'Channel Hungup' : 'Channels Hungup');
      for (const channel of found) {
        if (Number.isNaN(cause)) hangup(pbx, channel, 'manager');
        else hangup(pbx, channel, 'manager', cause, techCauseOf(cause));
      }
    },
  },
  {
    name: 'Redirect',
    synopsis: 'Redirect (transfer) a call.',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      for (const required of ['Channel', 'Context', 'Exten', 'Priority']) {
        if (header(required) === '') {
          error(`${required} not specified`);
          return;
        }
      }
      if (!/^\d+$/.test(header('Priority'))) {
        error('Priority is invalid');
        return;
      }
      const channel = channelNamed(pbx, header('Channel'))[0];
      const extra = header('ExtraChannel') === '' ? undefined : channelNamed(pbx, header('ExtraChannel'))[0];
      if (channel === undefined || (header('ExtraChannel') !== '' && extra === undefined)) {
        error(
          `Channel does not exist: ${channel === undefined ? header('Channel') : header('ExtraChannel')}`,
        );
        return;
      }
      if (channel.ringing !== undefined || extra?.ringing !== undefined) {
        // A leg that is still being dialled has no dialplan that could be sent elsewhere.
        error('Redirect failed');
        return;
      }
      ok(extra === undefined ? 'Redirect successful' : 'Dual Redirect successful');
      const to = { context: header('Context'), exten: header('Exten') };
      if (extra === undefined) {
        redirect(pbx, channel, to.context, to.exten);
        return;
      }
      const extraTo = {
        context: header('ExtraContext') || to.context,
        exten: header('ExtraExten') || to.exten,
      };
      redirectBoth(pbx, channel, extra, to, extraTo);
    },
  },
  {
    name: 'BlindTransfer',
    synopsis: 'Blind transfer channel(s) to the given destination',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      if (header('Channel') === '') error('No channel specified');
      else if (header('Exten') === '') error('No extension specified');
      else {
        const channel = channelNamed(pbx, header('Channel'))[0];
        const context = header('Context') || (channel?.context ?? '');
        if (channel === undefined) error('Channel specified does not exist');
        else if (peerOf(channel) === undefined) error('Transfer invalid');
        else if (!exists(pbx, context, header('Exten'))) error('Transfer failed');
        else {
          ok('Transfer succeeded');
          blindTransfer(pbx, channel, context, header('Exten'));
        }
      }
    },
  },
  {
    name: 'Setvar',
    synopsis: 'Sets a channel variable or function value.',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      const variable = header('Variable');
      if (variable === '') {
        error('No variable specified');
        return;
      }
      const custom = /^DEVICE_STATE\((Custom:.+)\)$/.exec(variable)?.[1];
      if (header('Channel') === '' && custom !== undefined) {
        ok('Variable Set');
        const state = header('Value');
        pbx.publish(
          'DeviceStateChange',
          'call',
          lines([
            ['Device', custom],
            ['State', state],
          ]),
        );
        return;
      }
      if (header('Channel') === '') {
        pbx.globals.set(variable, header('Value'));
        ok('Variable Set');
        return;
      }
      const channel = channelNamed(pbx, header('Channel'))[0];
      if (channel === undefined) {
        error('No such channel');
        return;
      }
      ok('Variable Set');
      setFunction(pbx, channel, variable, header('Value'));
    },
  },
  {
    name: 'Getvar',
    synopsis: 'Gets a channel variable or function value.',
    privilege: ['call', 'reporting'],
    run({ pbx, header, ok, error }) {
      const variable = header('Variable');
      const channel = channelNamed(pbx, header('Channel'))[0];
      if (variable === '') error('No variable specified');
      else if (header('Channel') !== '' && channel === undefined) error('No such channel');
      else {
        const value =
          dialplanExists(pbx, variable) ??
          (channel === undefined ? pbx.globals.get(variable) : variableOf(channel, variable));
        ok(undefined, [
          ['Variable', variable],
          ['Value', value ?? ''],
        ]);
      }
    },
  },
];

/** The function DIALPLAN_EXISTS(context,exten,priority) of func_dialplan.c; undefined for other variables. */
function dialplanExists(pbx: Pbx, variable: string): string | undefined {
  const [, context, exten] = /^DIALPLAN_EXISTS\(([^,]*),([^,]*),1\)$/.exec(variable) ?? [];
  if (context === undefined || exten === undefined) return undefined;
  return exists(pbx, context, exten) ? '1' : '0';
}

/** A channel by name or unique id, as `ast_channel_get_by_name` finds it; none or one. */
export function channelNamed(pbx: Pbx, name: string): readonly Channel[] {
  for (const channel of pbx.channels.values()) {
    if (channel.name.toLowerCase() === name.toLowerCase() || channel.uniqueid === name) return [channel];
  }
  return [];
}

/** Hangup's form `/regular expression/`; undefined when it is none. */
function matching(pbx: Pbx, pattern: string): readonly Channel[] | undefined {
  const expression = compile(pattern.replace(/^\//, '').replace(/\/$/, ''));
  if (expression === undefined) return undefined;
  return [...pbx.channels.values()].filter((channel) => expression.test(channel.name));
}

/** Value of a variable or of the functions a client asks for. */
export function variableOf(channel: Channel, variable: string): string | undefined {
  const { callerId, connected } = channel;
  const party = variable.startsWith('CALLERID(') ? callerId : connected;
  switch (variable) {
    case 'CALLERID(num)':
    case 'CONNECTEDLINE(num)':
      return party?.number ?? '';
    case 'CALLERID(name)':
    case 'CONNECTEDLINE(name)':
      return party?.name ?? '';
    case 'CALLERID(all)':
    case 'CONNECTEDLINE(all)':
      return party === undefined ? '' : `"${party.name ?? ''}" <${party.number}>`;
    default:
      return channel.variables.get(variable);
  }
}

function setFunction(pbx: Pbx, channel: Channel, variable: string, value: string): void {
  const match = /^(CALLERID|CONNECTEDLINE)\((num|name|all)[^)]*\)$/.exec(variable);
  if (match === null) {
    setVariable(pbx, channel, variable, value);
    return;
  }
  const old = match[1] === 'CALLERID' ? channel.callerId : channel.connected;
  const all = match[2] === 'all' ? parseCallerId(value) : undefined;
  const party = {
    number: match[2] === 'num' ? value : (all?.number ?? old?.number ?? ''),
    name: match[2] === 'name' ? value : (all?.name ?? old?.name),
  };
  if (match[1] === 'CALLERID') identify(pbx, channel, party);
  else connect(pbx, channel, party);
}
