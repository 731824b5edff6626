/** A process that takes any XEP-0114 handshake and discards what follows: so that only the sender's CPU time is measured. */
import { type AddressInfo, createServer } from 'node:net';

const server = createServer((socket) => {
  let greeted = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.subarray(-4096).toString('latin1');
    if (greeted === 2) {
      if (text.endsWith('</stream:stream>')) socket.end('</stream:stream>');
      return;
    }
    if (greeted === 0 && text.includes('<stream:stream')) {
      greeted = 1;
      socket.write(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>",
      );
    }
    if (text.includes('<handshake')) {
      greeted = 2;
      socket.write('<handshake/>');
    }
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
