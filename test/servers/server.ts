/** A server under test: started, killed, restarted on the same ports with the same data, stopped without a trace. */
import type { RunFolder } from './folders.ts';
import { type Command, type Running, start } from './process.ts';
import { until } from './until.ts';

/** What all servers here can do. */
export interface Server {
  /** Software and version as a reader would name it: "Prosody 0.12.3". */
  readonly version: string;
  /** The address it listens on: 127.0.0.1. */
  readonly host: string;
  /** Process id; another one after {@link restart}. */
  readonly pid: number;
  /** False before {@link restart} when it was killed or ended by itself. */
  alive(): boolean;
  /** The end of its output, for error messages. */
  log(): string;
  /** Ends it in order and removes its run folder. Harmless when called again. */
  stop(): Promise<void>;
  /** Ends it like a crash (SIGKILL); its data stays for {@link restart}. */
  kill(): Promise<void>;
  /** Ends it in order if it runs, and starts it on the same ports with the same data. Resolves when it is ready. */
  restart(): Promise<void>;
}

/** How to run one. */
export interface ServerPlan {
  readonly version: string;
  readonly folder: RunFolder;
  readonly command: Command;
  readonly host: string;
  /** True when it serves. */
  ready(): Promise<boolean>;
}

/** Seconds until a server must be ready; ten times what an idle machine needs. */
const patience = 60;

/**
 * Starts what the plan describes and waits until it is ready.
 * @throws Error with the end of the server's output if it ends before, or is not ready within a minute; nothing is left behind then.
 */
export async function startServer(plan: ServerPlan): Promise<Server> {
  const launch = async (): Promise<Running> => {
    const running = start(plan.command);
    try {
      await until(
        `${plan.version} is ready`,
        async () => {
          if (!running.alive()) return 'ended';
          return (await plan.ready()) ? 'ready' : false;
        },
        patience,
      );
      if (!running.alive()) throw new Error(`${plan.version} ended at once`);
      return running;
    } catch (error) {
      await running.kill();
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}. Its last words:\n${running.log().slice(-2000)}`, { cause: error });
    }
  };
  let current = await launch().catch(async (error: unknown) => {
    await plan.folder.remove();
    throw error;
  });
  return {
    version: plan.version,
    host: plan.host,
    get pid() {
      return current.pid;
    },
    alive: () => current.alive(),
    log: () => current.log(),
    kill: () => current.kill(),
    async restart() {
      await current.stop();
      current = await launch();
    },
    async stop() {
      await current.stop();
      await plan.folder.remove();
    },
  };
}
