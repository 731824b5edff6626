/** The API: every module there is, in the order of the documentation. */

import { archive } from './archive.ts';
import { base } from './base.ts';
import { conference } from './conference.ts';
import type { Module } from './define.ts';
import { event } from './event.ts';
import { journal } from './journal.ts';
import { location } from './location.ts';
import { mobile } from './mobile.ts';
import { monitor } from './monitor.ts';
import { phone } from './phone.ts';
import { phonebook } from './phonebook.ts';
import { queue } from './queue.ts';
import { redirect } from './redirect.ts';
import { voicemail } from './voicemail.ts';
import { xmppuser } from './xmppuser.ts';

/** The modules in order. */
export const modules: readonly Module[] = [
  base,
  event,
  xmppuser,
  journal,
  phone,
  phonebook,
  conference,
  queue,
  voicemail,
  redirect,
  monitor,
  location,
  mobile,
  archive,
];
