import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { authority, certificate } from '../servers/certificate.ts';
import { runFolder } from '../servers/folders.ts';

/** A TLS listener with a certificate for 127.0.0.1 in front of a plain port, as `tlsenable` of manager.conf would be one. */
export async function inTls(plainPort: number) {
  const folder = await runFolder('tls');
  const issuer = await authority(folder.path);
  const files = await certificate(issuer, 'ami', ['127.0.0.1']);
  const server = createServer(
    { cert: await readFile(files.cert), key: await readFile(files.key) },
    (outer) => {
      const inner = connect(plainPort, '127.0.0.1');
      outer.pipe(inner).pipe(outer);
      // A side that breaks takes the other with it, whichever reason it had.
      outer.on('error', () => inner.destroy()).on('close', () => inner.destroy());
      inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    ca: issuer.pem,
    async stop() {
      await new Promise((resolve) => server.close(resolve));
      await folder.remove();
    },
  };
}
