/** The queue model behind its port. Which event is taken in by what is here; what it means is in the file that bears its name. */

import type { PbxEvent } from '../pbx/events.ts';
import type { QueueChange } from './changes.ts';
import { connected, ended, ending, givenUp, rangOut, rings, settleOld, wentOn } from './leaving.ts';
import { doubtUnknownMember, memberEvent } from './members.ts';
import type { Queues, QueueView } from './queues.ts';
import { noteSnapshot, resync } from './resync.ts';
import { join, leave, takePlace } from './waiting.ts';
import { createWorld, keyOf, type Queue, type World } from './world.ts';

const nothing: readonly QueueChange[] = Object.freeze([]);

/** Makes a queue model that knows nothing until the first `queues`. The cost of an event does not depend on how many queues there are. */
export function createQueues(): Queues {
  const world = createWorld();
  return {
    apply(event) {
      reduce(world, event);
      if (world.out.length === 0) return nothing;
      const { out } = world;
      world.out = [];
      return out;
    },
    queue(name) {
      const queue = world.queues.get(keyOf(name));
      return queue && viewOf(queue);
    },
    queues: () => [...world.queues.values()].map(viewOf),
    takeDoubt() {
      const { doubt } = world;
      world.doubt = false;
      return doubt;
    },
  };
}

function viewOf({ name, members, roster, waiting }: Queue): QueueView {
  return { name, members: [...members.values()], roster, calls: waiting.map(({ call }) => call) };
}

function reduce(world: World, event: PbxEvent): void {
  world.at = event.at;
  if (world.departures.size > 0) settleOld(world);
  switch (event.type) {
    case 'queue-join':
      return join(world, event);
    case 'queue-leave':
      return leave(world, event);
    case 'queue-abandon':
      return givenUp(world, event.channel);
    case 'agent-called':
      doubtUnknownMember(world, event.queue, event.interface);
      return rings(world, event);
    case 'dial-end':
      return rangOut(world, event.caller, event.dest, event.status);
    case 'agent-connect':
      return connected(world, event);
    case 'queue-member-added':
    case 'queue-member-removed':
    case 'queue-member-changed':
      return memberEvent(world, event.type, event.member);
    case 'hangup-request':
      return ending(world, event.channel);
    case 'application':
      return wentOn(world, event.channel);
    case 'hangup':
      return ended(world, event.channel, event.priority ?? 0);
    case 'attended-transfer': {
      const waiting = event.success ? world.waiting.get(event.second.uniqueId) : undefined;
      if (waiting !== undefined && event.transferee !== undefined) takePlace(world, waiting, event.transferee);
      return;
    }
    case 'snapshot':
      return noteSnapshot(world, event.snapshot);
    case 'queues':
      return resync(world, event.queues, event.meanwhile, reduce);
    case 'reload':
      // A reload tells of itself, and of nothing that it changed.
      world.doubt ||= event.module === 'All' || event.module.startsWith('app_queue');
      return;
  }
}
