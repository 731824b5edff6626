/**
 * A process that takes any XEP-0114 handshake and discards what follows: so that only the sender's CPU time is measured. IQs, which all are for
 * the component itself here, go back to it.
 */
import { type AddressInfo, createServer } from 'node:net';

const server = createServer((socket) => {
  let greeted = 0;
  /** The beginning of an IQ, or what may be one. */
  let rest: Buffer = Buffer.alloc(0);
  function echo(bytes: Buffer): void {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let from = all.indexOf('<iq ');
    for (let end = endOf(all, from); from >= 0 && end > 0; end = endOf(all, from)) {
      socket.write(all.subarray(from, end));
      from = all.indexOf('<iq ', end);
    }
    rest = Buffer.from(all.subarray(from < 0 ? -'<iq'.length : from));
  }
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.subarray(-4096).toString('latin1');
    if (greeted === 2) {
      if (text.endsWith('</stream:stream>')) socket.end('</stream:stream>');
      else echo(bytes);
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
/** Where the IQ ends that begins at `from`, with or without something in it; 0 where that is still to come. */
function endOf(bytes: Buffer, from: number): number {
  const tag = bytes.indexOf('>', from);
  if (bytes[tag - 1] === '/'.charCodeAt(0)) return tag + 1;
  const end = tag < 0 ? -1 : bytes.indexOf('</iq>', tag);
  return end < 0 ? 0 : end + '</iq>'.length;
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
