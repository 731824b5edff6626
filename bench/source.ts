/**
 * A process of its own that says the bytes of a file to whoever connects, those of the next one to the next, and after the last those of the first:
 * so that only the reader's CPU time is measured. `source.js TIMES FILE...`: each file is said so many times.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { gunzipSync } from 'node:zlib';

const [times, ...files] = process.argv.slice(2);
const loads = files.map((file) => {
  const raw = readFileSync(file);
  return file.endsWith('.gz') ? gunzipSync(raw) : raw;
});
let connections = 0;
const server = createServer((socket) => {
  const load = loads[connections++ % loads.length] ?? '';
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
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
