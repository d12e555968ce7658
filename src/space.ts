// Linear memory, drawn:
//
//   0           heapBase                                                                    byteLength
//   ├ constants ┼ slab of small blocks ┼ block │ free │ block │ hole ──── │ block │ hole … ┼ GUARD ┤
//
// A block is a multiple of 16 bytes. A freed block waits in the bin of its size: training asks for the same sizes
// again and again, so that is where nearly every allocation ends. A size without a waiting block is cut from the
// current hole. When that is used up, free neighbours are joined and the largest becomes the next hole, or memory
// grows if too little of it is free. Small blocks come from slabs, so that those which live long, such as losses that
// somebody collects, do not split the space for large ones. Growth ends all views: they are made anew for each use.
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

/** The start of a free block of `bytes`, a multiple of 16; −1 if there cannot be one. */
export function take(bytes: number): number {
  const small = bytes <= SMALL;
  const waiting = (small ? smallBins : bins).get(bytes);
  if (waiting !== undefined && waiting.length > 0) return waiting.pop()!;
  const gap = small ? slab : hole;
  if (gap.at + bytes > gap.end && !(small ? newSlab() : newHole(bytes))) return -1;
  gap.at += bytes;
  return gap.at - bytes;
}

/** Makes `bytes` at `ptr`, as `take` gave them, a free block. */
export function release(ptr: number, bytes: number): void {
  put(bytes <= SMALL ? smallBins : bins, ptr, bytes);
}

function put(into: Map<number, number[]>, ptr: number, bytes: number): void {
  const waiting = into.get(bytes);
  if (waiting === undefined) into.set(bytes, [ptr]);
  else waiting.push(ptr);
}

function newSlab(): boolean {
  const at = take(SLAB);
  if (at < 0) return false;
  if (slab.end > slab.at) put(smallBins, slab.at, slab.end - slab.at);
  slab.at = at;
  slab.end = at + SLAB;
  return true;
}

// Linear memory as it is since it last grew: asking for `memory.buffer` takes longer than a small kernel.
export let whole: ArrayBuffer;
let allFloats: Float32Array;
export let allIntegers: Int32Array;

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

function newHole(bytes: number): boolean {
  if (running === undefined) {
    start();
    if (hole.at + bytes <= hole.end) return true;
  }
  const end = whole.byteLength - GUARD;
  const { free, largest } = joinFree();
  const fits = largest !== undefined && largest.end - largest.at >= bytes;
  const enough = fits && free >= end * ENOUGH_FREE;
  if (enough || !grow(bytes, end)) {
    if (!fits) return false;
    bins.get(largest.end - largest.at)!.pop();
    Object.assign(hole, largest);
  }
  return true;
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

/** The number at a pointer. */
export function numberAt(ptr: number, dtype: "f32" | "i32"): number {
  return (dtype === "f32" ? allFloats : allIntegers)[ptr >>> 2]!;
}

/** Whether `view` looks into linear memory: growth would detach it. */
export function isLinear(view: ArrayBufferView): boolean {
  return running !== undefined && view.buffer === whole;
}
