import { recordingStories } from './clients/recordings.ts';
import { freePort, loopback } from './servers/ports.ts';
import { startProsody } from './servers/prosody.ts';

recordingStories('Prosody', async (options) => {
  const port = await freePort();
  const upload = `upload.${options.domain}`;
  const server = await startProsody({
    ...options,
    globalConfig: `http_ports = { ${port} }; http_interfaces = { "${loopback}" }; https_ports = {}`,
    componentConfig: `Component "${upload}" "http_file_share"
  http_host = "${loopback}"
  http_external_url = "http://${loopback}:${port}/"`,
  });
  return { server, upload };
});
