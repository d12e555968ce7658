// Linear memory, drawn:
//
//   0           heapBase                                                                    byteLength
//   ├ constants ┼ slab of small blocks ┼ block │ free │ block │ hole ──── │ block │ hole … ┼ GUARD ┤
//
// A block is a multiple of 16 bytes. A freed block waits in the bin of its size: training asks for the same sizes
// again and again, so that is where nearly every allocation ends. A size without a waiting block is cut from the
// current hole. When that is used up, free neighbours are joined and the largest becomes the next hole, or memory
// grows if too little of it is free. Small blocks come from slabs, so that those which live long, such as losses that
// somebody collects, do not split the space for large ones. Nothing but this file touches `memory.buffer`.
import { DisposedError, OutOfMemoryError } from "./errors";
import { recorder } from "./recording";
import type { Region } from "./scope";
import { instantiate, type Loaded, memory as linear, PAGE, running, use } from "./wasm";

/** Bytes behind the last block that kernels may read. */
const GUARD = 64;

/** Blocks up to SMALL bytes are cut from slabs of SLAB bytes. */
const SMALL = 1024;
const SLAB = 16_384;

/** Memory grows rather than being joined once more when less than this share of it is free. */
const ENOUGH_FREE = 1 / 4;

/** Space from which blocks are cut. */
interface Gap {
  at: number;
  end: number;
}

const slab: Gap = { at: 0, end: 0 };
const hole: Gap = { at: 0, end: 0 };
const smallBins = new Map<number, number[]>();
const bins = new Map<number, number[]>();

let bytesHeld = 0;
let buffersHeld = 0;

/** What the op under way has made and nobody owns yet: it goes if the op cannot have another buffer. */
const unowned: Buffer[] = [];

/** Says that what was made so far has an owner, or that others will see to it. */
export function settled(): void {
  unowned.length = 0;
}

/** In debug mode, where each living buffer was made. */
let madeAt: Map<Buffer, string> | undefined;

/** Switches debug mode: buffers made from now on remember where. */
export function debugMemory(on: boolean): void {
  madeAt = on ? new Map() : undefined;
}

/** The start of a free block of `bytes`, a multiple of 16. */
function take(bytes: number): number {
  const small = bytes <= SMALL;
  const waiting = (small ? smallBins : bins).get(bytes);
  if (waiting !== undefined && waiting.length > 0) return waiting.pop()!;
  const gap = small ? slab : hole;
  if (gap.at + bytes > gap.end) small ? newSlab() : newHole(bytes);
  gap.at += bytes;
  return gap.at - bytes;
}

/** Gives back what was reserved: by a recording, or by `reserve`. */
export function give(ptr: number, size: number): void {
  const bytes = Math.ceil(size / 16) * 16;
  put(bytes <= SMALL ? smallBins : bins, ptr, bytes);
}

function put(into: Map<number, number[]>, ptr: number, bytes: number): void {
  const waiting = into.get(bytes);
  if (waiting === undefined) into.set(bytes, [ptr]);
  else waiting.push(ptr);
}

function newSlab(): void {
  const at = take(SLAB);
  if (slab.end > slab.at) put(smallBins, slab.at, slab.end - slab.at);
  slab.at = at;
  slab.end = at + SLAB;
}

// Linear memory as it is since it last grew: asking for `memory.buffer` takes longer than a small kernel.
let whole: ArrayBuffer;
let allFloats: Float32Array;
let allIntegers: Int32Array;

function remap(): void {
  whole = linear.buffer;
  allFloats = new Float32Array(whole);
  allIntegers = new Int32Array(whole);
}

/** Instantiates the binary, unless it runs already; the first allocation does it otherwise. */
export function start(): void {
  if (running !== undefined) return;
  hole.at = (instantiate() + 15) & ~15;
  remap();
  hole.end = whole.byteLength - GUARD;
}

/** Goes on in the memory of `loaded`, which has as many pages: what lives stays where it is. Views of the old memory end. */
export function moveTo(loaded: Loaded): void {
  const old = linear;
  new Uint8Array(loaded.memory.buffer).set(new Uint8Array(whole));
  use(loaded);
  remap();
  old.grow(0);
}

/** So many bytes that nobody else gets, and that `memory` does not count, until `give` has them back. */
export function reserve(bytes: number): number {
  return take(Math.ceil(bytes / 16) * 16);
}

function newHole(bytes: number): void {
  if (running === undefined) {
    start();
    if (hole.at + bytes <= hole.end) return;
  }
  const end = whole.byteLength - GUARD;
  const { free, largest } = joinFree();
  const fits = largest !== undefined && largest.end - largest.at >= bytes;
  const enough = fits && free >= end * ENOUGH_FREE;
  if (enough || !grow(bytes, end)) {
    if (!fits) throw outOfMemory(bytes);
    bins.get(largest.end - largest.at)!.pop();
    Object.assign(hole, largest);
  }
}

/** Joins all free neighbours, what is left of the hole among them; the largest is the last in its bin. */
function joinFree(): { free: number; largest: Gap | undefined } {
  if (hole.end > hole.at) put(bins, hole.at, hole.end - hole.at);
  hole.at = hole.end = 0;
  const blocks: Gap[] = [];
  for (const [size, waiting] of bins) for (const at of waiting) blocks.push({ at, end: at + size });
  bins.clear();
  blocks.sort((a, b) => a.at - b.at);
  const joined: Gap[] = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    if (last !== undefined && last.end === block.at) last.end = block.end;
    else joined.push(block);
  }
  joined.sort((a, b) => a.end - a.at - (b.end - b.at));
  let free = 0;
  for (const { at, end } of joined) {
    put(bins, at, end - at);
    free += end - at;
  }
  return { free, largest: joined.at(-1) };
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
    remap();
    hole.at = end;
    hole.end = whole.byteLength - GUARD;
    return true;
  }
  return false;
}

/** The error for what cannot be had. What the op that wanted it has made so far is given back. */
export function outOfMemory(bytes: number, what = ""): OutOfMemoryError {
  for (const buffer of unowned.splice(0)) if (buffer.region === undefined) buffer.free("dispose");
  const { bytes: held, reserved, tensors } = memory();
  const largest = [...(madeAt ?? [])].sort(([a], [b]) => b.bytes - a.bytes).slice(0, 3);
  const living = largest.map(([buffer, stack]) => `\n${buffer.bytes} bytes made ${stack.trim()}`);
  return new OutOfMemoryError(
    `${what}cannot allocate ${bytes} bytes: ${tensors} tensors hold ${held} of ${reserved} bytes, and linear memory ends ` +
      `at 4 GiB at most; free some with dispose() or scope(), or use smaller batches` +
      (madeAt === undefined ? "; init({ debug: true }) tells which live" : living.join("")),
  );
}

/** What linear memory holds at most. */
export const MAX_BYTES = 2 ** 32 - PAGE;

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
  /** Whether a recorded op has taken this unrecorded buffer as its input. */
  consumed = false;
  /** How many buffers share this piece, once it is shared. */
  private sharers: { count: number; ptr: number; bytes: number } | undefined;

  /**
   * @param elements of four bytes; at least one is reserved, so that every buffer has a place of its own.
   * @param offset in bytes from the start of `shared`
   */
  constructor(elements: number, shared?: Buffer, offset = 0) {
    if (shared !== undefined) {
      this.ptr = shared.ptr + offset;
      this.bytes = shared.bytes - offset;
      shared.sharers ??= { count: 1, ptr: shared.ptr, bytes: shared.bytes };
      shared.sharers.count++;
      this.sharers = shared.sharers;
    } else {
      this.bytes = Math.max(16, Math.ceil(elements / 4) * 16);
      if (!(this.bytes <= MAX_BYTES)) throw outOfMemory(this.bytes);
      this.ptr = take(this.bytes);
      bytesHeld += this.bytes;
      unowned.push(this);
    }
    buffersHeld++;
    recorder?.made(this, shared);
    madeAt?.set(this, new Error().stack?.split("\n").slice(2).join("\n") ?? "");
  }

  /** Another buffer of the same memory, `offset` bytes on; it lives until the last of them is freed. */
  share(offset = 0): Buffer {
    return new Buffer(0, this, offset);
  }

  /** Gives the memory back. Doing so twice does nothing. */
  free(fate: Fate): void {
    if (this.fate !== undefined) return;
    const reserved = recorder?.freed(this) ?? false;
    this.fate = fate;
    this.region?.remove(this);
    madeAt?.delete(this);
    buffersHeld--;
    if (this.sharers !== undefined && --this.sharers.count > 0) return;
    const { ptr, bytes } = this.sharers ?? this;
    bytesHeld -= bytes;
    if (!reserved) give(ptr, bytes);
  }

  /** A view of the first `elements`, valid until memory grows. */
  floats(elements: number): Float32Array {
    recorder?.written(this);
    return new Float32Array(whole, this.ptr, elements);
  }

  /** The same as 32-bit integers. */
  integers(elements: number): Int32Array {
    recorder?.written(this);
    return new Int32Array(whole, this.ptr, elements);
  }

  /** The same as float64, two elements each. */
  doubles(count: number): Float64Array {
    return new Float64Array(whole, this.ptr, count);
  }
}

/** What `memory` tells. */
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

/** The number at a pointer. */
export function numberAt(ptr: number, dtype: "f32" | "i32"): number {
  return (dtype === "f32" ? allFloats : allIntegers)[ptr >>> 2]!;
}

/** Whether `view` looks into linear memory: growth would detach it. */
export function isLinear(view: ArrayBufferView): boolean {
  return running !== undefined && view.buffer === whole;
}

/** What linear memory holds. */
export function memory(): MemoryUse {
  const use = {
    bytes: bytesHeld,
    reserved: running !== undefined ? whole.byteLength : 0,
    tensors: buffersHeld,
  };
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
  settled();
  buffersHeld--;
  bytesHeld -= buffer.bytes;
  return buffer;
}
