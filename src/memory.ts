// Buffers: pieces of linear memory, and what is known of all of them.
import { DisposedError, OutOfMemoryError } from "./errors";
import { recorder } from "./recording";
import type { Region } from "./scope";
import { release, take, whole } from "./space";
import { PAGE, running } from "./wasm";

let bytesHeld = 0;
let buffersHeld = 0;

/** What stands between buffers and the space that they are cut from, once debug mode has been on: src/debug.ts. */
export interface Guards {
  take(bytes: number): number;
  give(ptr: number, bytes: number): void;
  made(buffer: Buffer): void;
  freed(buffer: Buffer): void;
  /** Where each living buffer was made. */
  readonly madeAt: string[] | undefined;
  /** The largest living buffers and where they were made, as text. */
  largest(): string | undefined;
  /** In debug mode, what plans ask for: guard words at places inside the buffer at `ptr`, and a look at all that `who` may have written. */
  readonly plans:
    | { fence(ptr: number, places: readonly number[]): void; look(who: string): void }
    | undefined;
}

/** What the op under way has made and nobody owns yet: it goes if the op cannot have another buffer. */
let unowned: Buffer[] = [];
let unownedCount = 0;

/** Says that what was made so far has an owner, or that others will see to it. */
export function settled(): void {
  // An array that is emptied would take new memory in the next op.
  if (unownedCount > 64) unowned = [];
  unownedCount = 0;
}

export let guards: Guards | undefined;

export function setGuards(next: Guards | undefined): void {
  guards = next;
}

/** Gives back what was reserved: by a recording, or by `reserve`. */
export function give(ptr: number, size: number): void {
  const bytes = Math.ceil(size / 16) * 16;
  if (guards === undefined) release(ptr, bytes);
  else guards.give(ptr, bytes);
}

/**
 * So many bytes that nobody else gets, and that `memory` does not count, until `give` has them back.
 * @throws OutOfMemoryError
 */
export function reserve(size: number): number {
  const bytes = Math.ceil(size / 16) * 16;
  const ptr = find(bytes);
  if (ptr < 0) throw outOfMemory(bytes);
  return ptr;
}

function find(bytes: number): number {
  return guards === undefined ? take(bytes) : guards.take(bytes);
}

/** The error for a buffer that an op cannot have; what it has made so far is given back. */
function givenUp(bytes: number): OutOfMemoryError {
  for (const buffer of unowned.slice(0, unownedCount)) {
    if (buffer.region === undefined) buffer.free("dispose");
  }
  settled();
  return outOfMemory(bytes);
}

/** The error for what cannot be had. */
export function outOfMemory(bytes: number, what = ""): OutOfMemoryError {
  const { bytes: held, reserved, tensors } = memory();
  return new OutOfMemoryError(
    `${what}cannot allocate ${bytes} bytes: ${tensors} tensors hold ${held} of ${reserved} bytes, and linear memory ends ` +
      "at 4 GiB at most; free some with dispose() or scope(), or use smaller batches" +
      (guards?.largest() ?? "; init({ debug: true }) tells which live"),
  );
}

/** What linear memory holds at most. */
export const MAX_BYTES = 2 ** 32 - PAGE;

/** How the memory of a buffer came to be given back. */
export type Fate = "dispose" | "scope" | "backward" | "module" | "op" | "garbage" | "cleared" | Ended;

/** That a function ended which the library has called, as errors say it: "was freed when the step of fit returned; …". */
export type Ended = `was freed when ${string}`;

// Recorded ops and writes in place are counted together: a write is later than the ops with a smaller number.
export let moment = 0;

/** The number of an op that is recorded now. */
export function nextMoment(): number {
  return moment++;
}

/** Counts changes of which gradients there are, where they lie, and who shares their memory. */
export let gradientChanges = 0;

export function gradientChanged(): void {
  gradientChanges++;
}

/** What buffers of the same memory share. */
interface Piece {
  count: number;
  readonly ptr: number;
  readonly bytes: number;
  gradient: boolean;
  written: number;
}

/** Names what lies in a buffer as the user handed it over, for errors. */
export interface Origin {
  /** Where element `at` is from: "row 50, column 1 of the data set"; undefined if that is unknown. */
  place(at: number): string | undefined;
}

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
  private isCounted = true;
  /** Where the elements are from, if they are rows of a data set. */
  origin: Origin | undefined;
  /** Whether the gradient of a leaf lies here, or in what shares this piece. */
  private gradient = false;
  /** The moment of the last write in place, unless the piece is shared. */
  written = 0;
  /** The piece, once several buffers share it. */
  private sharers: Piece | undefined;

  /**
   * @param elements of four bytes; at least one is reserved, so that every buffer has a place of its own.
   * @param offset in bytes from the start of `shared`
   */
  constructor(elements: number, shared?: Buffer, offset = 0) {
    if (shared !== undefined) {
      this.ptr = shared.ptr + offset;
      this.bytes = shared.bytes - offset;
      this.origin = shared.origin;
      const { ptr, bytes, gradient, written } = shared;
      shared.sharers ??= { count: 1, ptr, bytes, gradient, written };
      shared.sharers.count++;
      if (shared.sharers.gradient) gradientChanges++;
      this.sharers = shared.sharers;
    } else {
      this.bytes = Math.max(16, Math.ceil(elements / 4) * 16);
      this.ptr = this.bytes <= MAX_BYTES ? find(this.bytes) : -1;
      if (this.ptr < 0) throw givenUp(this.bytes);
      bytesHeld += this.bytes;
      unowned[unownedCount++] = this;
    }
    buffersHeld++;
    recorder?.made(this, shared);
    guards?.made(this);
  }

  /** How many buffers have this memory. */
  get sharing(): number {
    return this.sharers?.count ?? 1;
  }

  get hasGradient(): boolean {
    return this.sharers?.gradient ?? this.gradient;
  }

  /** Says that the gradient of a leaf lies here. */
  markGradient(): void {
    this.gradient = true;
    if (this.sharers !== undefined) this.sharers.gradient = true;
  }

  /** Whether the values have been overwritten in place after the op of this number was recorded. */
  writtenSince(order: number): boolean {
    return (this.sharers === undefined ? this.written : this.sharers.written) > order;
  }

  /** Notes that the values are overwritten in place, by the function under way or, in a plan, by each replay. */
  overwrite(): void {
    if (this.sharers === undefined) this.written = moment;
    else this.sharers.written = moment;
    recorder?.overwritten(this);
  }

  /** Another buffer of the same memory, `offset` bytes on; it lives until the last of them is freed. */
  share(offset = 0): Buffer {
    return new Buffer(0, this, offset);
  }

  /** Whether `memory` counts this buffer as a tensor; not while another stands for it. */
  count(isCounted: boolean): void {
    if (this.isCounted === isCounted || this.fate !== undefined) return;
    this.isCounted = isCounted;
    buffersHeld += isCounted ? 1 : -1;
  }

  /** Gives the memory back. Doing so twice does nothing. */
  free(fate: Fate): void {
    if (this.fate !== undefined) return;
    const reserved = recorder?.freed(this, fate) ?? false;
    this.fate = fate;
    this.region?.remove(this);
    guards?.freed(this);
    if (this.isCounted) buffersHeld--;
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

/** What linear memory holds. */
export function memory(): MemoryUse {
  const use = {
    bytes: bytesHeld,
    reserved: running !== undefined ? whole.byteLength : 0,
    tensors: buffersHeld,
  };
  return guards?.madeAt === undefined ? use : { ...use, madeAt: guards.madeAt };
}

/** Why `buffer` cannot be used any more, as an error of the op that wanted to. */
export function gone(op: string, what: string, fate: Fate): DisposedError {
  const how: Record<Exclude<Fate, Ended>, string> = {
    dispose: "was disposed; use it before dispose(), or clone() it",
    scope:
      "was freed at the end of its scope; return it from the scope's function, or call backward() inside",
    backward: "was released by backward(); call backward({ retainGraph: true }) to keep it",
    module: "was freed when its module returned; return it from forward()",
    op: "was freed when its op returned; return it from there",
    garbage: "was freed with its graph",
    cleared: "was cleared by zeroGrad() or replaced; read .grad again, or clone() it before",
  };
  return new DisposedError(`${op}: ${what} ${how[fate as keyof typeof how] ?? fate}`);
}

/** A buffer that lives as long as the program and is not counted by `memory`. */
export function permanent(elements: number): Buffer {
  const buffer = new Buffer(elements);
  settled();
  guards?.freed(buffer);
  buffersHeld--;
  bytesHeld -= buffer.bytes;
  return buffer;
}
