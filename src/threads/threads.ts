// Threads as users know them.
import { OptionError, text } from "../errors";
import { setParallel } from "../plan/parallel";
import { moveTo } from "../space";
import { binary, loadAsync, memory, PAGE, sharedMemory } from "../wasm";
import { Crew } from "./crew";
import { Judge } from "./judge";
import { Pool } from "./pool";
import { builtin, hasWorkers, type WorkerOptions } from "./workers";

/** The options of `init` for threads. */
export interface ThreadOptions extends WorkerOptions {
  /**
   * Threads that share the work, with the one that calls: a number, or "auto" for as many as there are processors, up to 8.
   * Default: those there are, at first 1. Results are the same bits for any number. Pages have to be cross-origin isolated;
   * where there can be no threads, everything runs on one, and `threads()` says why.
   */
  threads?: number | "auto";
  /** The URL of nablas/worker.js, for pages whose Content-Security-Policy forbids workers of the package's own text. */
  workerUrl?: WorkerOptions["workerUrl"];
  /** Makes a worker of nablas/worker.js, where a bundler wants to see its URL; instead of workerUrl. */
  createWorker?: WorkerOptions["createWorker"];
}

/** What `threads` tells. */
export interface Threads {
  /** Threads that share the work, with the one that calls. */
  count: number;
  /** Why there are not more, if somebody asked for more; or why nobody has. */
  reason?: string;
}

/** Threads that "auto" starts at most: beyond, small and medium networks gain nothing. */
const AUTO_MOST = 8;
const MOST = 64;

let pool: Pool | undefined;
export let crew: Crew | undefined;
let reason: string | undefined = "init({ threads }) has not been called";

/** How many threads share the work, and why not more. */
export function threads(): Threads {
  const count = pool?.size ?? 1;
  const why = pool?.reason ?? reason;
  return why === undefined ? { count } : { count, reason: why };
}

/** @throws OptionError for a number of threads that there cannot be */
export function checkThreads({ threads, workerUrl, createWorker }: Settings): void {
  if (threads === undefined || threads === "auto") return;
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST) {
    throw new OptionError(`init: threads is "auto" or an integer from 1 to ${MOST}, got ${text(threads)}`);
  }
  if (workerUrl !== undefined && createWorker !== undefined) {
    throw new OptionError("init: expected workerUrl or createWorker, got both");
  }
}

type Settings = { [K in keyof ThreadOptions]: ThreadOptions[K] | undefined };

/** The number that is asked for, 1 where there can be no more. */
function threadsWanted({ threads }: Settings): number {
  if (threads === undefined || threads === 1 || obstacle() !== undefined) return 1;
  return threads === "auto" ? Math.min(AUTO_MOST, processors()) : threads;
}

function processors(): number {
  return (
    (globalThis.navigator as { hardwareConcurrency?: number } | undefined)?.hardwareConcurrency ??
    nodeProcessors()
  );
}

function nodeProcessors(): number {
  return builtin<{ availableParallelism(): number }>("node:os")?.availableParallelism() ?? 1;
}

/** Why this place can have no threads. */
function obstacle(): string | undefined {
  if ((globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false) {
    return (
      "this page is not cross-origin isolated, so it has no shared memory; serve it with the headers " +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp"
    );
  }
  if (typeof SharedArrayBuffer === "undefined") return "this runtime has no SharedArrayBuffer";
  return hasWorkers() ? undefined : "this runtime has no workers";
}

/** One change after the other. */
let turn: Promise<unknown> = Promise.resolve();

/** Starts or ends workers, so that there are as many threads as asked for. Returns how many there are. */
export function setThreads(settings: Settings): Promise<number> {
  const next = turn.then(() => change(settings));
  turn = next.catch(() => {});
  return next;
}

async function change(settings: Settings): Promise<number> {
  const { threads } = settings;
  const wanted = threadsWanted(settings);
  if (threads === undefined || wanted === pool?.size) return pool?.size ?? 1;
  await end();
  reason = threads === 1 ? undefined : (obstacle() ?? (wanted === 1 ? "there is one processor" : undefined));
  if (wanted > 1) await begin(wanted, settings);
  return pool?.size ?? 1;
}

async function begin(wanted: number, options: WorkerOptions): Promise<void> {
  try {
    if (!isShared()) await share();
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
    return;
  }
  const starting = new Pool();
  await Promise.all(Array.from({ length: wanted - 1 }, () => starting.add(options)));
  reason = starting.reason;
  if (starting.size === 1) return starting.end();
  const [awake, asleep] = await starting.latencies();
  pool = starting;
  crew = new Crew(pool, new Judge(1e6 * awake, 1e6 * asleep));
  setParallel(crew);
}

function isShared(): boolean {
  return !(memory.buffer instanceof ArrayBuffer);
}

/** Moves everything there is into memory that threads can share. */
async function share(): Promise<void> {
  if (binary.share === undefined) {
    throw new Error(
      "init got a compiled module, which is for memory of one thread; bring bytes, url or response instead",
    );
  }
  const module = await binary.share();
  const loaded = await loadAsync({ ...binary, module }, sharedMemory());
  // Nothing is awaited from here on: nobody makes a tensor between the copy and the move.
  loaded.memory.grow(Math.max(0, (memory.buffer.byteLength - loaded.memory.buffer.byteLength) / PAGE));
  moveTo(loaded);
}

async function end(): Promise<void> {
  crew?.end();
  setParallel(undefined);
  const ending = pool;
  pool = crew = undefined;
  await ending?.end();
}

/**
 * Ends the workers; from then on everything runs on one thread. Nobody has to call it: idle workers keep no process alive.
 * `init({ threads })` starts new ones.
 */
export async function shutdown(): Promise<void> {
  await setThreads({ threads: 1, workerUrl: undefined, createWorker: undefined });
}
