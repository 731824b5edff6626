import { park, parkedLines } from '../pbx/parking.ts';
import { channelNamed } from './calls.ts';
import type { Action } from './define.ts';

/** Actions of res_parking. */
export const parkingActions: readonly Action[] = [
  {
    name: 'Park',
    synopsis: 'Park a channel.',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      if (header('Channel') === '') {
        error('Channel not specified');
        return;
      }
      const channel = channelNamed(pbx, header('Channel'))[0];
      if (channel === undefined) {
        error(`Channel does not exist: ${header('Channel')}`);
        return;
      }
      ok('Park successful\n');
      const lot = header('Parkinglot');
      if (lot === '' || lot === 'default')
        park(pbx, channel, header('TimeoutChannel').replace(/-[^-]*$/, ''));
    },
  },
  {
    name: 'ParkedCalls',
    synopsis: 'List parked calls.',
    privilege: ['call'],
    run({ pbx, header, list, error }) {
      const lot = header('ParkingLot');
      if (lot !== '' && lot !== 'default') {
        error('Requested parking lot could not be found.');
        return;
      }
      const items = [...pbx.parked].map(([space, call]) => ({
        event: 'ParkedCall',
        body: parkedLines(space, call),
        idLast: true,
      }));
      list('Parked calls will follow', 'ParkedCallsComplete', items, `Total: ${items.length}\r\n`);
    },
  },
];
