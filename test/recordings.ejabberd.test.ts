import { recordingStories } from './clients/recordings.ts';
import { startEjabberd } from './servers/ejabberd.ts';

recordingStories('ejabberd', async (options) => ({
  server: await startEjabberd({ ...options, upload: true }),
  upload: `upload.${options.domain}`,
}));
recordingStories('ejabberd without uploads', async (options) => ({ server: await startEjabberd(options) }));
