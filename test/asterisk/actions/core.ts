import { covers } from '../ami/rights.ts';
import { lines } from '../pbx/event.ts';
import type { Action } from './define.ts';

const version = 'Asterisk 22.10.1 (simulated)';

/** Actions about the PBX as a whole. `all` is the whole table, for ListCommands. */
export function coreActions(all: () => readonly Action[]): readonly Action[] {
  return [
    {
      name: 'CoreSettings',
      synopsis: 'Show PBX core settings (version etc).',
      privilege: ['system', 'reporting'],
      run({ pbx, ok }) {
        ok(undefined, [
          ['AMIversion', '11.0.0'],
          ['AsteriskVersion', '22.10.1'],
          ['SystemName', pbx.systemName],
          ['CoreMaxCalls', 0],
          ['CoreMaxLoadAvg', '0.000000'],
          ['CoreRunUser', ''],
          ['CoreRunGroup', ''],
          ['CoreMaxFilehandles', 0],
          ['CoreRealTimeEnabled', 'No'],
          ['CoreCDRenabled', 'Yes'],
          ['CoreHTTPenabled', 'No'],
          ['SoundsSearchCustomDir', 'No'],
        ]);
      },
    },
    {
      name: 'CoreStatus',
      synopsis: 'Show PBX core status variables.',
      privilege: ['system', 'reporting'],
      run({ pbx, ok }) {
        const [date = '', time = ''] = new Date(pbx.started).toISOString().slice(0, 19).split('T');
        ok(undefined, [
          ['CoreStartupDate', date],
          ['CoreStartupTime', time],
          ['CoreReloadDate', date],
          ['CoreReloadTime', time],
          ['CoreCurrentCalls', pbx.channels.size],
          ['CoreProcessedCalls', pbx.calls],
        ]);
      },
    },
    {
      name: 'ListCommands',
      synopsis: 'List available manager commands.',
      privilege: [],
      run({ session, ok }) {
        const allowed = all().filter((action) => covers(session.user?.write ?? [], action.privilege));
        const sorted = [...allowed].sort((a, b) => a.name.localeCompare(b.name));
        ok(
          undefined,
          sorted.map((action) => {
            const privilege = action.privilege.length === 0 ? '<none>' : `${action.privilege.join(',')},all`;
            return [action.name, `${action.synopsis}  (Priv: ${privilege})`] as const;
          }),
        );
      },
    },
    {
      name: 'Command',
      synopsis: 'Execute Asterisk CLI Command.',
      privilege: ['command'],
      run({ pbx, header, ok, error }) {
        const command = header('Command');
        if (command === 'core show version') {
          ok('Command output follows', [['Output', version]]);
        } else if (command === 'core show channels count') {
          ok('Command output follows', [['Output', `${pbx.channels.size} active channels`]]);
        } else {
          error(
            `Command output follows\r\nOutput: No such command '${command}' ` +
              `(type 'core show help ${command}' for other possible commands)`,
          );
        }
      },
    },
    {
      name: 'UserEvent',
      synopsis: 'Send an arbitrary event.',
      privilege: ['user'],
      run({ pbx, action, header, ok }) {
        const own = new Set(['action', 'actionid', 'userevent']);
        const rest = action.headers.filter(([key]) => !own.has(key.toLowerCase()));
        ok('Event Sent');
        pbx.publish('UserEvent', 'user', lines([['UserEvent', header('UserEvent')], ...rest]));
      },
    },
  ];
}
