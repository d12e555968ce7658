// The threads' share of the work: a small module of its own, beside the kernels in the same shared memory. So no engine
// has to know atomic instructions before it is to run threads.
//
// A run is a list of pieces, entries as assembly/replay.ts reads them. Every thread takes one piece after the other, by
// counting down what is LEFT; nobody owns a piece that has not begun, so a thread that the system does not let run holds up
// nothing. Only `serve`, which workers call, sleeps by itself; the others leave that to `pause`.

/** Calls the kernels of `count` entries, of which none is a search here. */
@external("kernels", "replay")
declare function replay(list: usize, count: i32): i32;

/** Milliseconds, from any start. */
@external("env", "now")
declare function now(): f64;

/** Leaves the processor to others for a moment, on threads that may. */
@external("env", "pause")
declare function pause(): void;

// Cells of the control block, each in a cache line of its own that one kind of event writes.
const LEFT: usize = 0; // pieces that nobody has taken; below 0 at will
const DONE: usize = 64; // pieces that are finished
const END: usize = 128; // where the list ends
const SCRATCH: usize = 132; // memory for scratch: so many bytes for each thread, from here on
const SCRATCH_BYTES: usize = 136;
const FAILED: usize = 192; // not 0 when the pieces that are left are not to be run
const SIGNAL: usize = 256; // changes when there is something to do
const SLEEPING: usize = 320; // workers that wait for SIGNAL
const STOP: usize = 384; // not 0 when the workers are to return

// Of an entry: bytes, the argument that is the thread's scratch (0: none), and how many pieces have to be done before it.
const ENTRY: i32 = 128;
const SCRATCH_ARGUMENT: usize = 5;
const AFTER: usize = 120;

/** What FAILED says when a thread has died with a piece; 1 is an exception. */
const LOST: i32 = 2;

/** Turns of a loop between two looks at the clock. */
const TURNS: i32 = 256;

/** Share of its time for which a worker looks out that has had nothing to do. */
const LATE: f64 = 0.25;

/** Milliseconds after which a thread that holds up others has been taken off its processor: they leave it theirs. */
const SPIN: f64 = 0.05;

/** Lays out a list of `count` pieces for whoever looks for some, all of the last one's being done. */
export function publish(control: usize, end: usize, count: i32): void {
  store<usize>(control, end, END);
  atomic.store<i32>(control, 0, FAILED);
  atomic.store<i32>(control, 0, DONE);
  atomic.store<i32>(control, count, LEFT);
}

/** Wakes up to `count` workers that sleep. */
export function wake(control: usize, count: i32): void {
  atomic.add<i32>(control, 1, SIGNAL);
  if (atomic.load<i32>(control, SLEEPING)) atomic.notify(control + SIGNAL, count);
}

/**
 * Lays out a list and works on it with the workers. This thread takes a piece before it wakes anybody, who may get its
 * processor.
 */
export function run(control: usize, end: usize, count: i32, patience: f64): void {
  publish(control, end, count);
  const left = atomic.sub<i32>(control, 1, LEFT);
  wake(control, count - 1);
  if (left > 0) piece(control, 0, left, patience);
  work(control, 0, patience);
}

/** Takes and runs pieces until none is left. Returns how many it has run. */
export function work(control: usize, thread: i32, patience: f64): i32 {
  let count = 0;
  while (atomic.load<i32>(control, LEFT) > 0) {
    const left = atomic.sub<i32>(control, 1, LEFT);
    if (left <= 0) break;
    piece(control, thread, left, patience);
    count++;
  }
  return count;
}

/** Runs the piece behind which `left` − 1 others are left, once its turn has come. */
function piece(control: usize, thread: i32, left: i32, patience: f64): void {
  const p = load<usize>(control, END) - <usize>(left * ENTRY);
  join(control, load<i32>(p, AFTER), patience);
  if (!atomic.load<i32>(control, FAILED)) {
    const k = <usize>load<u8>(p, SCRATCH_ARGUMENT);
    if (k) store<usize>(p + (k << 3), load<usize>(control, SCRATCH) + <usize>thread * load<usize>(control, SCRATCH_BYTES));
    replay(p, 1);
  }
  atomic.add<i32>(control, 1, DONE);
}

/**
 * Waits until `count` pieces are done or one is lost. Longer than `patience` milliseconds for one and the same piece means
 * that its thread is gone. Returns what FAILED says.
 */
export function join(control: usize, count: i32, patience: f64): i32 {
  let done = atomic.load<i32>(control, DONE);
  if (done >= count) return atomic.load<i32>(control, FAILED);
  const start = now();
  let since = start;
  for (let turn = 1; done < count && atomic.load<i32>(control, FAILED) != LOST; turn++) {
    const before = done;
    done = atomic.load<i32>(control, DONE);
    if (done != before) since = start;
    if (turn % TURNS) continue;
    const time = now();
    if (since == start) since = time;
    if (time - since > patience) atomic.store<i32>(control, LOST, FAILED);
    else if (time - start > SPIN) pause();
  }
  return atomic.load<i32>(control, FAILED);
}

/**
 * A worker's life: works, looks out for more for `idle` milliseconds, sleeps. Returns when it is told to stop. Where it came
 * too late to be of use, it does not look out for long: it may be on the processor of the thread that calls.
 */
export function serve(control: usize, thread: i32, idle: f64): void {
  while (!atomic.load<i32>(control, STOP)) {
    const count = work(control, thread, Infinity);
    if (isNews(control, count > 0 ? idle : LATE * idle)) continue;
    atomic.add<i32>(control, 1, SLEEPING);
    const signal = atomic.load<i32>(control, SIGNAL);
    if (atomic.load<i32>(control, LEFT) <= 0 && !atomic.load<i32>(control, STOP)) {
      atomic.wait<i32>(control + SIGNAL, signal, -1);
    }
    atomic.sub<i32>(control, 1, SLEEPING);
  }
}

/** Whether there is something to do within so many milliseconds. */
function isNews(control: usize, idle: f64): bool {
  const start = now();
  for (let turn = 1; turn % TURNS != 0 || now() - start < idle; turn++) {
    if (atomic.load<i32>(control, LEFT) > 0 || atomic.load<i32>(control, STOP)) return true;
  }
  return false;
}
