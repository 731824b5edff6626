import { startAsterisk } from './asterisk/asterisk.ts';
import { type PbxHarness, pbxContract } from './contract/pbx.ts';
import { inTls } from './pbx/tls.ts';

pbxContract('The simulated Asterisk', async (): Promise<PbxHarness> => {
  const control = { username: 'control', secret: 'control-secret' };
  const feed = { username: 'reader', secret: 'reader-secret' };
  const filtering = { username: 'feed', secret: 'feed-secret' };
  const read = ['system', 'call', 'agent', 'reporting', 'user'];
  const pbx = await startAsterisk({
    users: [
      { ...control, read: ['call'], write: ['system', 'call', 'agent', 'originate', 'reporting', 'user'] },
      { ...feed, read, write: ['reporting'] },
      { ...filtering, read, write: ['reporting', 'system'] },
    ],
  });
  const tls = await inTls(pbx.port);
  return {
    port: pbx.port,
    tls,
    accounts: { control, feed, filtering },
    telephone(number) {
      const phone = pbx.phone(number);
      return {
        behave(behaviour) {
          phone.behaviour = behaviour === 'answer' ? { answer: 0 } : behaviour;
        },
        get notified() {
          return phone.notified;
        },
        async dial(to) {
          phone.call(to);
        },
        async hangup() {
          for (const { channel } of [...phone.state()]) phone.hangup(channel);
        },
      };
    },
    async away() {
      await pbx.faults.refuse();
      pbx.faults.drop();
    },
    back: () => pbx.faults.accept(),
    mute: async () => pbx.faults.mute(),
    unmute: () => pbx.faults.unmute(),
    async stop() {
      await pbx.stop();
      await tls.stop();
    },
  };
});
