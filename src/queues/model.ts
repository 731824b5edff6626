/** The queue model behind its port. Which event is taken in by what is here; what it means is in the file that bears its name. */

import type { PbxEvent } from '../pbx/events.ts';
import type { QueueChange } from './changes.ts';
import { connected, ended, ending, givenUp, rangOut, rings, settleOld, wentOn } from './leaving.ts';
import { doubtUnknownMember, memberEvent } from './members.ts';
import type { Queues, QueueView } from './queues.ts';
import { noteSnapshot, restore, resync } from './resync.ts';
import { join, leave, takePlace } from './waiting.ts';
import { createWorld, keyOf, type Queue, type World } from './world.ts';

const nothing: readonly QueueChange[] = Object.freeze([]);

/** Makes a queue model that knows nothing until the first `queues`. The cost of an event does not depend on how many queues there are. */
export function createQueues(): Queues {
  const world = createWorld();
  return {
    bounds: world.bounds,
    apply(event) {
      reduce(world, event);
      if (world.out.length === 0) return nothing;
      const { out } = world;
      world.out = [];
      return out;
    },
    restore: (told) => restore(world, told),
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

/** Lists are made when they are asked for: most who look for queues need few of them. */
function viewOf({ name, members, roster, waiting }: Queue): QueueView {
  return {
    name,
    roster,
    get members() {
      return [...members.values()];
    },
    get calls() {
      return waiting.map(({ call }) => call);
    },
  };
}

function reduce(world: World, event: PbxEvent): void {
  world.at = event.at;
  if (world.departures.size > 0) settleOld(world);
  switch (event.type) {
    case 'queue-join':
      join(world, event);
      break;
    case 'queue-leave':
      leave(world, event);
      break;
    case 'queue-abandon':
      givenUp(world, event.channel);
      break;
    case 'agent-called':
      doubtUnknownMember(world, event.queue, event.interface);
      rings(world, event);
      break;
    case 'dial-end':
      rangOut(world, event.caller, event.dest, event.status);
      break;
    case 'agent-connect':
      connected(world, event);
      break;
    case 'queue-member-added':
    case 'queue-member-removed':
    case 'queue-member-changed':
      memberEvent(world, event.type, event.member);
      break;
    case 'hangup-request':
      ending(world, event.channel);
      break;
    case 'application':
      wentOn(world, event.channel);
      break;
    case 'hangup':
      ended(world, event.channel, event.priority ?? 0);
      break;
    case 'attended-transfer':
      if (event.success) takePlace(world, event.second, event.transferee);
      break;
    case 'snapshot':
      noteSnapshot(world, event.snapshot);
      break;
    case 'queues':
      resync(world, event.queues, event.meanwhile, reduce);
      break;
    case 'reload':
      // A reload tells of itself, and of nothing that it changed.
      world.doubt ||= event.module === 'All' || event.module.startsWith('app_queue');
      break;
  }
}
