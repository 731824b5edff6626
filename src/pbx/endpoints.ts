import { action } from './action.ts';
import { type Control, text } from './control.ts';
import { listOf } from './list.ts';
import type { Log } from './log.ts';
import type { DeviceName, PbxEndpoint } from './pbx.ts';

// Each detail is one more action: enough for a large office, and a limit for a very large one.
const maxDetails = 2000;
const atOnce = 8;

interface Known {
  extension: string;
  fullName: string;
  mailbox: string;
}

/**
 * Lists the PJSIP endpoints, each with the extension of its hint and the name of its mailbox. Only where one of these is missing
 * the endpoint's own configuration is asked (caller ID, mailboxes), one action each.
 *
 * Rejects as `Control.list` does; a module that is not loaded counts as an empty list.
 */
export async function readEndpoints(control: Control, log: Log): Promise<readonly PbxEndpoint[]> {
  const [listed, hints, voicemail] = await Promise.all([
    listOf(control, log, action('PJSIPShowEndpoints')),
    listOf(control, log, action('ExtensionStateList')),
    listOf(control, log, action('VoicemailUsersList')),
  ]);
  const extensions = new Map<string, string>();
  for (const item of hints) {
    const exten = text(item, 'exten');
    // A hint may watch several devices (`PJSIP/340&Custom:dnd`); the first extension that names a device is its own.
    for (const device of text(item, 'hint').split('&')) {
      if (!extensions.has(device)) extensions.set(device, exten);
    }
  }
  const boxes = new Map<string, { mailbox: string; fullName: string }>();
  for (const item of voicemail) {
    const number = text(item, 'voicemailbox');
    if (!boxes.has(number)) {
      boxes.set(number, {
        mailbox: `${number}@${text(item, 'vmcontext')}`,
        fullName: text(item, 'fullname'),
      });
    }
  }
  const found = listed.map((item) => {
    const name = text(item, 'objectname');
    const device = `PJSIP/${name}`;
    const extension = extensions.get(device) ?? '';
    const box = boxes.get(extension === '' ? name : extension);
    return { name, device, extension, fullName: box?.fullName ?? '', mailbox: box?.mailbox ?? '' };
  });
  const thin = found.filter((entry) => entry.extension === '' || entry.fullName === '');
  if (thin.length > maxDetails) {
    log.warn(
      { endpoints: thin.length, asked: maxDetails },
      'too many endpoints without hint or mailbox to ask for each',
    );
  }
  await inParallel(thin.slice(0, maxDetails), (entry) => complete(control, log, entry.name, entry));
  return found.map(({ name: _, device, ...known }) => ({ device: device as DeviceName, ...known }));
}

async function complete(control: Control, log: Log, name: string, known: Known): Promise<void> {
  const items = await listOf(control, log, action('PJSIPShowEndpoint', { Endpoint: name }));
  const detail = items.find((item) => text(item, 'event') === 'EndpointDetail');
  if (detail === undefined) return;
  // ast_callerid_merge (callerid.c): `"name" <number>`, or one of the two alone.
  const caller = /^"?(?<name>[^"<]*?)"?\s*(?:<(?<number>[^>]*)>)?$/.exec(text(detail, 'callerid'))?.groups;
  if (known.extension === '') known.extension = meaningful(caller?.number);
  if (known.fullName === '') known.fullName = meaningful(caller?.name);
  if (known.mailbox === '') known.mailbox = text(detail, 'mailboxes').split(',')[0]?.trim() ?? '';
}

function meaningful(value: string | undefined): string {
  return value === undefined || value === '<unknown>' || value === 'unknown' ? '' : value;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
