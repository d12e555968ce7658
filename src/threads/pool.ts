// Workers that share linear memory with this thread, and the runs that they do together. What happens inside a run is
// assembly/threads/pool.ts. This thread sleeps in `pause` alone, and not where it is a page's main thread.
import { pool as poolBytes } from "../../build/pool";
import { WorkerError } from "../errors";
import { give, reserve } from "../memory";
import { binary, instance, memory } from "../wasm";
import { Run, reserved } from "./run";
import { openWorker, type WorkerOptions, type WorkerThread } from "./workers";

/** The control block in 32-bit cells, as assembly/threads/pool.ts has it; behind them, what a failed worker says. */
const CELLS = {
  done: 16,
  scratch: 33,
  scratchBytes: 34,
  failed: 48,
  signal: 64,
  sleeping: 80,
  stop: 96,
  left: 100,
  pause: 104,
  text: 112,
};
const TEXT_LENGTH = 140;
const CONTROL_BYTES = 1024;

/** Milliseconds of a pause, the shortest that systems keep to. */
const PAUSE = 0.05;

/** What FAILED says when a thread is gone with a piece. */
const LOST = 2;

/** Milliseconds; tests shorten them. */
export const patience = {
  /** For a worker to start. */
  start: 10_000,
  /** For one piece: its thread must have died. */
  piece: 10_000,
  /** How long a worker looks out for work before it sleeps: about what waking takes. */
  idle: 0.1,
  /** For a worker to leave. */
  end: 1000,
};

/** What a worker gets. */
export interface Start {
  kernels: WebAssembly.Module;
  pool: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: number;
  thread: number;
  idle: number;
  cells: {
    stop: number;
    left: number;
    failed: number;
    done: number;
    pause: number;
    pauseMs: number;
    text: number;
    textLength: number;
  };
}

interface PoolExports {
  work(control: number, thread: number, patience: number): number;
  join(control: number, count: number, patience: number): number;
  publish(control: number, end: number, count: number): void;
  run(control: number, end: number, count: number, patience: number): void;
  wake(control: number, count: number): void;
}

/** Milliseconds after which a worker counts as kept from work by other processes. */
const BUSY = 2;

let module: WebAssembly.Module | undefined;

function poolModule(): WebAssembly.Module {
  module ??= new WebAssembly.Module(Uint8Array.from(atob(poolBytes), (char) => char.charCodeAt(0)));
  return module;
}

export class Pool {
  private readonly control = reserve(CONTROL_BYTES);
  private readonly exports: PoolExports;
  private readonly workers = new Set<WorkerThread>();
  private started = 0;
  private scratch = 0;
  private scratchBytes = 0;
  private ended = false;
  /** Whether a worker has not started in time, and may do so yet. */
  private isLate = false;
  /** Why a worker has ended. */
  reason: string | undefined;

  constructor() {
    const { exports } = new WebAssembly.Instance(poolModule(), {
      env: { memory, now: () => performance.now(), pause: mayWait() ? () => this.pause() : () => {} },
      kernels: { replay: instance.exports.replay! },
    });
    this.exports = exports as unknown as PoolExports;
    const cells = new Int32Array(memory.buffer, this.control, CONTROL_BYTES / 4);
    cells.fill(0);
  }

  /** Threads that work, with this one. */
  get size(): number {
    return this.workers.size + 1;
  }

  private get cells(): Int32Array {
    return new Int32Array(memory.buffer, this.control, CONTROL_BYTES / 4);
  }

  /** Starts a worker; fulfilled when it is ready or known not to be. */
  async add(options: WorkerOptions): Promise<void> {
    const thread = ++this.started;
    const start: Start = {
      kernels: binary.module,
      ...{ pool: poolModule(), memory, control: this.control, thread, idle: patience.idle },
      cells: { ...CELLS, pauseMs: PAUSE, textLength: TEXT_LENGTH },
    };
    let worker: WorkerThread | undefined;
    try {
      worker = openWorker(options, start, (why) => this.lose(worker, why));
      await within(patience.start, worker.ready);
      this.workers.add(worker);
    } catch (error) {
      this.reason = error instanceof Error ? error.message : String(error);
      this.isLate ||= worker !== undefined;
      await worker?.end();
    }
  }

  /** A worker that has ended by itself. */
  private lose(worker: WorkerThread | undefined, why: string): void {
    if (worker === undefined || !this.workers.delete(worker)) return;
    this.reason = why;
    // It was asleep, most probably: a wrong number costs nothing but a needless call.
    Atomics.sub(this.cells, CELLS.sleeping, 1);
  }

  /** Milliseconds from the start of a run until a worker has something, while it looks out for work and while it sleeps. */
  async latencies(): Promise<[awake: number, asleep: number]> {
    const run = new Run(reserved);
    run.add("zero", [this.control, 0]);
    const asleep: number[] = [];
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10 * patience.idle));
      asleep.push(this.latency(run));
    }
    const awake = Array.from({ length: 20 }, () => this.latency(run));
    run.dispose();
    return [median(awake), median(asleep)];
  }

  /** How long it takes until a worker has done a piece in which there is nothing to do; on a busy machine, this thread does. */
  private latency(run: Run): number {
    const { cells, control, exports } = this;
    const start = performance.now();
    exports.publish(control, run.end, run.count);
    exports.wake(control, run.count);
    let elapsed = 0;
    while (Atomics.load(cells, CELLS.done) === 0 && elapsed < BUSY) elapsed = performance.now() - start;
    exports.work(control, 0, patience.piece);
    exports.join(control, run.count, patience.piece);
    return elapsed;
  }

  private pause(): void {
    Atomics.wait(this.cells, CELLS.pause, 0, PAUSE);
  }

  /** Whether no worker is looking out for work. */
  get asleep(): boolean {
    return Atomics.load(this.cells, CELLS.sleeping) >= this.workers.size;
  }

  /** Gives every thread at least so many bytes of scratch. */
  reserveScratch(bytes: number): void {
    if (bytes <= this.scratchBytes) return;
    const wanted = Math.ceil(bytes / 4096) * 4096 + 64;
    const scratch = reserve(wanted * (this.started + 1));
    if (this.scratch !== 0) give(this.scratch, this.scratchBytes * (this.started + 1));
    this.scratch = scratch;
    this.scratchBytes = wanted;
    const { cells } = this;
    cells[CELLS.scratch] = this.scratch;
    cells[CELLS.scratchBytes] = wanted;
  }

  /**
   * Runs the pieces on all threads; returns when all are done.
   * @throws WorkerError if one was not done: what its op was writing is undefined then
   */
  execute(run: Run): void {
    this.work(run);
    const failed = this.exports.join(this.control, run.count, patience.piece);
    if (failed !== 0) throw this.failure(failed);
  }

  /** This thread's part. Whatever happens in it, the others are through before anything else is done. */
  private work({ end, count }: Run): void {
    const { control, exports } = this;
    try {
      exports.run(control, end, count, patience.piece);
    } catch (error) {
      const { cells } = this;
      Atomics.compareExchange(cells, CELLS.failed, 0, 1);
      Atomics.add(cells, CELLS.done, 1);
      exports.work(control, 0, patience.piece);
      exports.join(control, count, patience.piece);
      throw error;
    }
  }

  private failure(failed: number): WorkerError {
    const undefinedNow = "what the op was writing is undefined now, everything else is as it was";
    if (failed === LOST) {
      void this.end();
      return new WorkerError(
        `a worker has been gone with a piece of work for ${patience.piece} ms; ${undefinedNow}, and further work is done on ` +
          "one thread until init({ threads }) starts new workers",
      );
    }
    const { cells } = this;
    const chars = cells.subarray(CELLS.text, cells.indexOf(0, CELLS.text));
    return new WorkerError(`a worker failed: ${String.fromCharCode(...chars)}; ${undefinedNow}`);
  }

  /** Ends the workers, and gives the memory back that they know of, unless one of them may still write there. */
  async end(): Promise<void> {
    const { cells, control, scratch } = this;
    const isLost = Atomics.load(cells, CELLS.failed) === LOST;
    Atomics.store(cells, CELLS.stop, 1);
    this.exports.wake(control, this.started);
    const workers = [...this.workers];
    this.workers.clear();
    const haveLeft = await this.haveLeft(workers.length);
    await Promise.all(workers.map((worker) => worker.end()));
    if (isLost || this.isLate || !haveLeft || this.ended) return;
    this.ended = true;
    give(control, CONTROL_BYTES);
    if (scratch !== 0) give(scratch, this.scratchBytes * (this.started + 1));
  }

  /** Whether so many workers have done their last before long: a page is not told when one that it terminates does. */
  private async haveLeft(count: number): Promise<boolean> {
    const { cells } = this;
    const start = performance.now();
    while (Atomics.load(cells, CELLS.left) < count) {
      if (performance.now() - start > patience.end) return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  }
}

/** Whether this thread may sleep: a page's main thread may not. */
function mayWait(): boolean {
  if (typeof document !== "undefined") return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

async function within(ms: number, ready: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a worker did not start within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([ready, late]);
  } finally {
    clearTimeout(timer);
  }
}
