/** A stage for stories: one telephone system, a phone for everybody, and at the end of each story everybody has hung up and nothing is left. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AsteriskOptions,
  type Call,
  type Phone,
  shownByPhones,
  startPhone,
  until,
} from '../servers/index.ts';
import { type Lab, openLab } from './lab.ts';

/** What stories are told with. */
export interface Stage {
  readonly lab: Lab;
  /** Phone of an extension, or `trunk`. */
  phone(extension: string): Phone;
  /** Another phone of an extension; it goes with the story. */
  second(extension: string): Promise<Phone>;
  /** The first calls the second, who answers; resolves when both talk and their clients agree. */
  talk(from: string, to: string): Promise<[from: Call, to: Call]>;
  /** Resolves when every client shows what its phones show: {@link shownByPhones}. Without extensions: everybody's. */
  agree(...extensions: string[]): Promise<void>;
  /** Resolves when a client was last told this line. */
  told(extension: string, line: string): Promise<void>;
  /** Hangs everything up, and compares what every client was told since the story began. Who is left out must be told nothing. */
  wasTold(stories: Readonly<Record<string, readonly string[]>>): Promise<void>;
  /** Hangs everything up; resolves when nothing is left, neither at the telephone system nor on a screen. */
  over(): Promise<void>;
}

/** Declares stories. */
export type Story = (name: string, tell: (stage: Stage) => Promise<void>) => void;

/** How the stage is set. */
export interface StageOptions {
  readonly version: '22' | '16';
  /** The event connection breaks and comes back wherever clients and phones are compared. */
  readonly interrupted?: boolean;
  readonly asterisk?: AsteriskOptions;
}

/** Tells the stories. Recordings of those that fail are kept, and their errors say where. */
export function onStage(options: StageOptions, ...acts: readonly ((story: Story) => void)[]): void {
  const { version, interrupted = false, asterisk } = options;
  describe(`Asterisk ${version}${interrupted ? ', its feed broken at every step' : ''}`, () => {
    let opened: Lab | undefined;
    const phones = new Map<string, Phone>();
    const seconds: Phone[] = [];
    const lab = () => {
      if (opened === undefined) throw new Error('the lab is not open');
      return opened;
    };
    /** A story failed: what it leaves, a telephone system that stands still perhaps, is no stage for the next one. */
    let spoiled = false;
    const open = async () => {
      opened = await openLab({ ...asterisk, version });
      const extensions = [...opened.asterisk.extensions.keys(), 'trunk'];
      await Promise.all(
        extensions.map(async (extension) => {
          phones.set(extension, await startPhone(lab().asterisk, extension));
        }),
      );
    };
    const close = async () => {
      // It may stand still, and answer nobody who hangs up.
      if (spoiled) await opened?.asterisk.kill();
      await Promise.all(everyPhone().map((phone) => phone.stop()));
      phones.clear();
      seconds.length = 0;
      await opened?.stop();
      opened = undefined;
    };
    beforeAll(open);
    afterAll(close);
    beforeEach(async () => {
      if (spoiled) {
        await close();
        await open();
        spoiled = false;
      }
      lab().clients.forget();
    });
    afterEach(async () => {
      if (spoiled) return;
      for (const phone of phones.values()) phone.incoming = 'ring';
      spoiled = true;
      await hangUp();
      await Promise.all(seconds.splice(0).map((phone) => phone.stop()));
      await nothingLeft();
      spoiled = false;
    });

    const everyPhone = () => [...phones.values(), ...seconds];
    const hangUp = async () => {
      for (const phone of everyPhone()) for (const call of phone.calls) await call.hangup();
    };
    const nothingLeft = async () => {
      await until('the telephone system has no channel left', async () =>
        /^0 active channels/m.test(await lab().asterisk.cli('core show channels count')),
      );
      await lab().caughtUp();
    };
    const phoneOf = (extension: string) => {
      const phone = phones.get(extension);
      if (phone === undefined) throw new Error(`${extension} has no phone`);
      return phone;
    };
    const people = () => [...lab().directory.users].map(({ extension }) => extension);
    const stage: Stage = {
      get lab() {
        return lab();
      },
      phone: phoneOf,
      async second(extension) {
        const phone = await startPhone(lab().asterisk, extension);
        seconds.push(phone);
        return phone;
      },
      async talk(from, to) {
        const caller = await phoneOf(from).dial(to);
        const called = await phoneOf(to).ringing();
        await stage.agree(from, to);
        await called.answer();
        await caller.until('connected');
        await stage.agree(from, to);
        return [caller, called];
      },
      async agree(...extensions) {
        const compared = extensions.length > 0 ? extensions : people();
        const shown = () => ({
          screens: Object.fromEntries(compared.map((extension) => [extension, shownBy(extension)])),
          phones: Object.fromEntries(
            compared.map((extension) => [extension, shownByPhones(everyPhone(), extension)]),
          ),
        });
        const same = () => {
          const { screens, phones } = shown();
          return JSON.stringify(screens) === JSON.stringify(phones);
        };
        const settle = async (when: string) => {
          await until('clients and phones agree', same, 5).catch(() => {});
          const { screens, phones } = shown();
          expect(screens, when).toEqual(phones);
        };
        await settle('clients against phones');
        if (!interrupted) return;
        await lab().interrupted();
        await settle('clients against phones, after the feed was broken');
      },
      async told(extension, line) {
        const { told } = lab().client(extension);
        await until(
          `${extension} is told "${line}"`,
          () => lab().client(extension).told.includes(line),
          5,
        ).catch(() => expect(told.join('\n'), `${extension} is told`).toContain(line));
      },
      async wasTold(stories) {
        await stage.over();
        const told = Object.fromEntries(
          people()
            .map((extension) => [extension, lab().client(extension).told] as const)
            .filter(([extension, lines]) => lines.length > 0 || stories[extension] !== undefined),
        );
        // Where the feed was away, some of it was not told.
        if (!interrupted) expect(told).toEqual(stories);
      },
      async over() {
        await hangUp();
        await nothingLeft();
        for (const extension of people()) expect(shownBy(extension), `screen of ${extension}`).toEqual([]);
        expect(lab().clients.broken).toEqual([]);
      },
    };
    const shownBy = (extension: string) =>
      [...lab().client(extension).beliefs.values()]
        .map(({ state, number, held }) => `${state} ${number}${held ? ' held' : ''}`)
        .sort();

    const story: Story = (name, tell) =>
      test(name, async () => {
        const began = performance.now();
        try {
          await tell(stage);
        } catch (error) {
          spoiled = true;
          const seconds = ((performance.now() - began) / 1000).toFixed(1);
          const path = await lab().recording(`${version} ${name}`);
          const told = people().flatMap((extension) =>
            lab()
              .client(extension)
              .told.map((line) => `  ${extension}: ${line}`),
          );
          const notes = [...told, ...lab().clients.broken.map((text) => `  ! ${text}`)].join('\n');
          throw new Error(
            `${error instanceof Error ? error.message : error}\n${notes}\nrecorded: the last ${seconds} s of ${path}`,
            {
              cause: error,
            },
          );
        }
      });
    for (const act of acts) act(story);
  });
}
