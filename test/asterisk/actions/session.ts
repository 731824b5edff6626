import { eventMask } from '../ami/rights.ts';
import type { Action } from './define.ts';

/** Actions about the session itself. */
export const sessionActions: readonly Action[] = [
  {
    name: 'Login',
    synopsis: 'Login Manager.',
    privilege: [],
    run({ session, action, ok, error }) {
      if (session.user !== undefined) {
        ok('Already logged in');
        return;
      }
      const greet = session.login(action);
      if (greet === undefined) {
        error('Authentication failed');
        session.close();
        return;
      }
      ok('Authentication accepted');
      greet();
    },
  },
  {
    name: 'Challenge',
    synopsis: 'Generate Challenge for MD5 Auth.',
    privilege: [],
    run({ session, header, ok, error }) {
      if (header('AuthType').toUpperCase() !== 'MD5') error('Must specify AuthType');
      else ok(undefined, [['Challenge', session.challenge()]]);
    },
  },
  {
    name: 'Logoff',
    synopsis: 'Logoff Manager.',
    privilege: [],
    run({ session, goodbye }) {
      goodbye();
      session.close();
    },
  },
  {
    name: 'Ping',
    synopsis: 'Keepalive command.',
    privilege: [],
    run({ ok }) {
      const now = Date.now();
      ok(undefined, [
        ['Ping', 'Pong'],
        ['Timestamp', `${Math.floor(now / 1000)}.${String(now % 1000).padStart(3, '0')}000`],
      ]);
    },
  },
  {
    name: 'Events',
    synopsis: 'Control Event Flow.',
    privilege: [],
    run({ session, header, ok, error }) {
      const mask = eventMask(header('EventMask'));
      if (mask === undefined) {
        error('Invalid event mask');
        return;
      }
      session.setMask(mask);
      ok(undefined, [['Events', mask.length === 0 ? 'Off' : 'On']]);
    },
  },
  {
    name: 'Filter',
    synopsis: 'Dynamically add filters for the current manager session.',
    privilege: ['system'],
    run({ session, header, ok, error }) {
      if (header('Operation').toLowerCase() !== 'add') error('Unknown operation');
      else if (session.filters.add(header('Filter'), header('MatchCriteria'))) ok('Success');
      else error('Filter did not compile');
    },
  },
];
