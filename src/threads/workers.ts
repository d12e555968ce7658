// Workers of whatever kind the runtime has.
import { worker as source } from "../../build/pool";
import type { Start } from "./pool";

/** A Worker of the web, or of node:worker_threads. */
export interface WorkerLike {
  /** Sends it what it works with: modules, and shared memory. */
  postMessage(message: unknown): void;
  /** Ends it. */
  terminate(): unknown;
}

/** Where workers come from. */
export interface WorkerOptions {
  workerUrl?: string | { readonly href: string } | undefined;
  createWorker?: (() => WorkerLike) | undefined;
}

export interface WorkerThread {
  /** Fulfilled when it looks out for work, rejected if it never will. */
  readonly ready: Promise<void>;
  end(): Promise<void>;
}

type Listener = (event: unknown) => void;

/** What both kinds have, under one name or the other. */
interface Events extends WorkerLike {
  on?(event: string, listener: Listener): void;
  addEventListener?(event: string, listener: Listener): void;
  unref?(): void;
}

interface Threads {
  Worker: new (source: string | URL, options: object) => WorkerLike;
}

interface Runtime {
  Worker?: new (url: string | URL, options: { type: "module"; name: string }) => WorkerLike;
  document?: object;
  process?: { getBuiltinModule?(name: string): unknown };
}

const NAME = "nablas";

/** Whether the runtime has workers at all. */
export function hasWorkers(): boolean {
  return runtime().Worker !== undefined || nodeThreads() !== undefined;
}

function runtime(): Runtime {
  return globalThis as unknown as Runtime;
}

/** Of Node, Bun and Deno; in Deno no other workers let a process exit while they are idle. */
function nodeThreads(): Threads | undefined {
  return builtin<Threads>("node:worker_threads");
}

/** A module of Node, Bun or Deno; elsewhere nothing, even where asking for it throws, as in an edge runtime. */
export function builtin<T>(name: string): T | undefined {
  try {
    return runtime().process?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined;
  }
}

/** @param lost called when the worker ends by itself */
export function openWorker(options: WorkerOptions, start: Start, lost: (why: string) => void): WorkerThread {
  const worker: Events = create(options);
  const on = (event: string, listener: Listener) =>
    worker.on ? worker.on(event, listener) : worker.addEventListener?.(event, listener);
  const ready = new Promise<void>((resolve, reject) => {
    const ended = (why: string) => {
      lost(why);
      reject(new Error(why));
    };
    // An idle worker keeps no process alive; before it is ready, whoever awaits it does.
    on("message", () => {
      worker.unref?.();
      resolve();
    });
    on("error", (event) => ended(`a worker failed: ${(event as Error).message || unloaded(options)}`));
    on("exit", (code) => ended(`a worker ended with code ${String(code)}`));
    worker.postMessage(start);
  });
  ready.catch(() => {});
  return {
    ready,
    end: async () => void (await worker.terminate()),
  };
}

/** What may be wrong with a worker whose script a page does not load: browsers say so in their consoles alone. */
function unloaded({ createWorker, workerUrl }: WorkerOptions): string {
  if (createWorker === undefined && workerUrl === undefined) {
    return (
      "the page's Content-Security-Policy forbids workers made of text; pass init a workerUrl, where nablas/worker.js is " +
      "served, or allow blob: in worker-src"
    );
  }
  const name =
    workerUrl === undefined ? "the worker of createWorker" : String(workerUrl).replace(/^(data:).*/, "$1…");
  return (
    `${name} does not load; it has to be JavaScript, allowed by worker-src of the Content-Security-Policy, and served ` +
    "with the Cross-Origin-Embedder-Policy of the page"
  );
}

function create({ createWorker, workerUrl }: WorkerOptions): WorkerLike {
  if (createWorker !== undefined) return createWorker();
  const { Worker, document } = runtime();
  const url = workerUrl === undefined ? undefined : String(workerUrl);
  const threads = nodeThreads();
  if (Worker !== undefined && (document !== undefined || threads === undefined)) {
    return new Worker(url ?? blobUrl(), { type: "module", name: NAME });
  }
  const options = { name: NAME, execArgv: [] };
  return url === undefined
    ? new threads!.Worker(source, { ...options, eval: true })
    : new threads!.Worker(/^[a-z]+:/.test(url) ? new URL(url) : url, options);
}

let blob: string | undefined;

function blobUrl(): string {
  blob ??= URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return blob;
}
