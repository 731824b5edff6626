/** A process of its own that says the same bytes to whoever connects: so that only the reader's CPU time is measured. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { gunzipSync } from 'node:zlib';

const [file = '', times = '1'] = process.argv.slice(2);
const raw = readFileSync(file);
const load = file.endsWith('.gz') ? gunzipSync(raw) : raw;
const server = createServer((socket) => {
  let left = Number(times);
  const more = () => {
    while (left-- > 0) if (!socket.write(load)) return;
    socket.end();
  };
  socket.on('drain', more).on('error', () => socket.destroy());
  // A reader that logs in is let in at once; what it says besides is not read.
  socket.resume();
  more();
});
server.listen(0, '127.0.0.1', () =>
  process.send?.({ port: (server.address() as AddressInfo).port, bytes: load.length }),
);
process.on('disconnect', () => process.exit());
