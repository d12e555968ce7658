// Linear memory, drawn:
//
//   0          heapBase                                      cursor        limit            byteLength
//   ├ constants ┼ block │ block │ free │ block │ free │ block ┼ unused ───────┼ … ┼ GUARD ──────┤
//
// A block is a multiple of 16 bytes. A freed block waits in the bin of its size: training asks for the same sizes
// again and again, so that is where nearly every allocation ends. A size without a waiting block is cut from the
// hole [cursor, limit). When the hole is used up, free neighbours are joined and the largest becomes the next hole;
// if that is small, memory grows instead. Nothing but this file touches `memory.buffer`.
import { DisposedError, OutOfMemoryError } from "./errors";
import type { Region } from "./scope";
import { instantiate, memory as linear, PAGE } from "./wasm";

/** Bytes behind the last block that kernels may read. */
const GUARD = 64;

/** A joined hole below this share of linear memory is not worth another round of joining: memory grows. */
const WORTH_JOINING = 1 / 8;

let cursor = 0;
let limit = 0;
let started = false;
const bins = new Map<number, number[]>();

let bytesHeld = 0;
let buffersHeld = 0;

/** In debug mode, where each living buffer was made. */
let madeAt: Map<Buffer, string> | undefined;

/** Switches debug mode: buffers made from now on remember where. */
export function debugMemory(on: boolean): void {
  madeAt = on ? new Map() : undefined;
}

/** The start of a free block of `bytes`, a multiple of 16. */
function take(bytes: number): number {
  const waiting = bins.get(bytes);
  if (waiting !== undefined && waiting.length > 0) return waiting.pop()!;
  if (cursor + bytes > limit) findHole(bytes);
  const ptr = cursor;
  cursor += bytes;
  return ptr;
}

function give(ptr: number, bytes: number): void {
  const waiting = bins.get(bytes);
  if (waiting === undefined) bins.set(bytes, [ptr]);
  else waiting.push(ptr);
}

function findHole(bytes: number): void {
  if (!started) {
    cursor = limit = (instantiate() + 15) & ~15;
    limit = linear.buffer.byteLength - GUARD;
    started = true;
    if (cursor + bytes <= limit) return;
  }
  const end = linear.buffer.byteLength - GUARD;
  const hole = joinFree(bytes);
  const worth = hole !== undefined && hole.bytes >= end * WORTH_JOINING;
  if (hole !== undefined && (worth || !grow(bytes, end))) {
    cursor = hole.ptr;
    limit = hole.ptr + hole.bytes;
    return;
  }
  if (hole !== undefined) give(hole.ptr, hole.bytes);
  else if (!grow(bytes, end)) throw outOfMemory(bytes);
}

/** Joins all free neighbours, empties the hole into them, and takes out the largest if it holds `bytes`. */
function joinFree(bytes: number): { ptr: number; bytes: number } | undefined {
  if (limit > cursor) give(cursor, limit - cursor);
  cursor = limit = 0;
  const free: [ptr: number, bytes: number][] = [];
  for (const [size, waiting] of bins) for (const ptr of waiting) free.push([ptr, size]);
  bins.clear();
  free.sort((a, b) => a[0] - b[0]);
  const joined: typeof free = [];
  for (const block of free) {
    const last = joined.at(-1);
    if (last !== undefined && last[0] + last[1] === block[0]) last[1] += block[1];
    else joined.push(block);
  }
  let largest: (typeof free)[number] | undefined;
  for (const block of joined) if (largest === undefined || block[1] > largest[1]) largest = block;
  if (largest === undefined || largest[1] < bytes) largest = undefined;
  for (const block of joined) if (block !== largest) give(...block);
  return largest && { ptr: largest[0], bytes: largest[1] };
}

/** Grows memory by a quarter, by half a megabyte or by what is wanted, whichever is most; the new part is the hole. */
function grow(bytes: number, end: number): boolean {
  const wanted = Math.ceil(bytes / PAGE) + 1;
  for (const pages of [Math.max(wanted, Math.ceil(end / 4 / PAGE), 8), wanted]) {
    try {
      linear.grow(pages);
    } catch {
      continue;
    }
    cursor = end;
    limit = linear.buffer.byteLength - GUARD;
    return true;
  }
  return false;
}

function outOfMemory(bytes: number): OutOfMemoryError {
  const { bytes: held, reserved, tensors } = memory();
  return new OutOfMemoryError(
    `cannot allocate ${bytes} bytes: ${tensors} tensors hold ${held} of ${reserved} bytes, and linear memory ends ` +
      `at 4 GiB; free some with dispose() or scope(), or use smaller batches`,
  );
}

const MAX_BYTES = 2 ** 32 - PAGE;

/** How the memory of a buffer came to be given back. */
export type Fate = "dispose" | "scope" | "backward" | "module" | "garbage";

/** A piece of linear memory: a pointer and a length. Several tensors may share one piece (`share`). */
export class Buffer {
  readonly ptr: number;
  readonly bytes: number;
  fate: Fate | undefined;
  /** The region that frees this buffer, and its neighbours there. */
  region: Region | undefined;
  previous: Buffer | Region | undefined;
  next: Buffer | undefined;
  /** How many buffers share this piece, once it is shared. */
  private sharers: { count: number } | undefined;

  /** @param elements of four bytes; at least one is reserved, so that every buffer has a place of its own. */
  constructor(elements: number, shared?: Buffer) {
    if (shared !== undefined) {
      this.ptr = shared.ptr;
      this.bytes = shared.bytes;
      shared.sharers ??= { count: 1 };
      shared.sharers.count++;
      this.sharers = shared.sharers;
    } else {
      this.bytes = Math.max(16, Math.ceil(elements / 4) * 16);
      if (!(this.bytes <= MAX_BYTES)) throw outOfMemory(this.bytes);
      this.ptr = take(this.bytes);
      bytesHeld += this.bytes;
    }
    buffersHeld++;
    madeAt?.set(this, new Error().stack?.split("\n").slice(2).join("\n") ?? "");
  }

  /** Another buffer of the same memory, which lives until the last of them is freed. */
  share(): Buffer {
    return new Buffer(0, this);
  }

  /** Gives the memory back. Doing so twice does nothing. */
  free(fate: Fate): void {
    if (this.fate !== undefined) return;
    this.fate = fate;
    this.region?.remove(this);
    madeAt?.delete(this);
    buffersHeld--;
    if (this.sharers !== undefined && --this.sharers.count > 0) return;
    bytesHeld -= this.bytes;
    give(this.ptr, this.bytes);
  }

  /** A view of the first `elements`, valid until memory grows. */
  floats(elements: number): Float32Array {
    return new Float32Array(linear.buffer, this.ptr, elements);
  }

  /** The same as 32-bit integers. */
  integers(elements: number): Int32Array {
    return new Int32Array(linear.buffer, this.ptr, elements);
  }

  /** The same as float64, two elements each. */
  doubles(count: number): Float64Array {
    return new Float64Array(linear.buffer, this.ptr, count);
  }
}

export interface MemoryUse {
  /** Bytes in the buffers of living tensors. */
  bytes: number;
  /** Bytes of linear memory. */
  reserved: number;
  /** Living tensors, with what autograd keeps for a backward pass. */
  tensors: number;
  /** In debug mode, `init({ debug: true })`: where each of them was made, as a stack trace. */
  madeAt?: string[];
}

/** What linear memory holds. */
export function memory(): MemoryUse {
  const use = { bytes: bytesHeld, reserved: started ? linear.buffer.byteLength : 0, tensors: buffersHeld };
  return madeAt === undefined ? use : { ...use, madeAt: [...madeAt.values()] };
}

/** Why `buffer` cannot be used any more, as an error of the op that wanted to. */
export function gone(op: string, what: string, fate: Fate): DisposedError {
  const how: Record<Fate, string> = {
    dispose: "was disposed; use it before dispose(), or clone() it",
    scope: "was freed at the end of its scope; return it from the scope's function to keep it",
    backward: "was released by backward(); call backward({ retainGraph: true }) to keep it",
    module: "was freed when its module returned, since nothing was being recorded; return it from forward()",
    garbage: "was freed with the graph that it belonged to",
  };
  return new DisposedError(`${op}: ${what} ${how[fate]}`);
}

/** A buffer that lives as long as the program and is not counted by `memory`. */
export function permanent(elements: number): Buffer {
  const buffer = new Buffer(elements);
  buffersHeld--;
  bytesHeld -= buffer.bytes;
  return buffer;
}
