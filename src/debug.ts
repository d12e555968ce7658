// Debug mode. Every allocation, drawn:
//
//   │ guard words, 16 bytes │ what was asked for │ guard words, 16 bytes │
//
// It begins as UNSET. What is freed becomes FREED, and is kept from use for a while. As floats these words are NaN, as
// integers they are no class. They are looked at before and after each kernel call: what has changed after a call was written
// by that kernel, what has changed between two calls by JavaScript.
import { CorruptionError } from "./errors";
import { type Buffer, type Guards, setGuards } from "./memory";
import { allIntegers, release, take } from "./space";
import { type Kernels, setChecks } from "./wasm";

const UNSET = 0x7feadbed;
const FREED = 0x7fdeadbe;

/** Bytes of guard words on either side. */
const EDGE = 16;

/** The guard word at a place, counted in words. Those of neighbours differ, or one copied onto another would not be noticed. */
const guardAt = (i: number) => 0x7fc00000 | (Math.imul(i, 0x9e3779b1) >>> 10);

/** What is freed is kept from use until it is more than this, in bytes or in pieces. */
const KEPT_BYTES = 2 ** 22;
const KEPT_PIECES = 128;

/** How many of the living a look takes, beside those that the call has pointers to: where there are more, they take turns. */
const LOOKS = 256;

/** Who writes between kernel calls, and who wrote while nobody looked. */
const JAVASCRIPT = "JavaScript";
const SOMETHING = "something";

/** An allocation with its guard words. */
interface Piece {
  readonly at: number;
  readonly bytes: number;
  /** Where in memory it has more guard words, 16 bytes each. */
  fences: readonly number[];
  /** Its place among the living. */
  index: number;
  madeAt: Error | undefined;
  freedAt: Error | undefined;
}

/** By the pointer that the buffer has. */
const pieces = new Map<number, Piece>();
const living: Piece[] = [];
const kept: Piece[] = [];
let keptBytes = 0;
let turn = 0;
let madeAt: Map<Buffer, Error> | undefined;

/** Switches debug mode. What was allocated before has no guard words, what was allocated in it keeps them. */
export function setDebug(on: boolean): void {
  if (on !== (madeAt !== undefined)) {
    madeAt = on ? new Map() : undefined;
    if (on) setGuards(guards);
    setChecks(on ? checked : undefined);
  }
  // An error in it leaves the rest for the next call.
  if (!on) while (kept.length > 0) letGo();
}

const guards: Guards = {
  take(bytes) {
    if (madeAt === undefined) return take(bytes);
    const piece = enclosed(bytes);
    if (piece === undefined) return -1;
    pieces.set(piece.at + EDGE, piece);
    return piece.at + EDGE;
  },
  give(ptr, bytes) {
    const piece = pieces.get(ptr);
    if (piece === undefined) return release(ptr, bytes);
    pieces.delete(ptr);
    const last = living.pop()!;
    if (last !== piece) {
      living[piece.index] = last;
      last.index = piece.index;
    }
    if (madeAt === undefined) return release(piece.at, piece.bytes);
    try {
      check(piece, JAVASCRIPT);
    } finally {
      keep(piece);
    }
  },
  made(buffer) {
    if (madeAt === undefined) return;
    const place = here();
    madeAt.set(buffer, place);
    const piece = pieces.get(buffer.ptr);
    if (piece !== undefined) piece.madeAt ??= place;
  },
  freed(buffer) {
    madeAt?.delete(buffer);
  },
  get madeAt() {
    return madeAt && [...madeAt.values()].map(stack);
  },
  largest() {
    const first = madeAt && [...madeAt].sort(([a], [b]) => b.bytes - a.bytes).slice(0, 3);
    return first?.map(([{ bytes }, error]) => `\n${bytes} bytes were made\n${stack(error)}`).join("");
  },
  get plans() {
    return madeAt && { fence, look };
  },
};

/** A new piece; what is kept from use goes if there is no other memory. */
function enclosed(bytes: number): Piece | undefined {
  const whole = bytes + 2 * EDGE;
  let at = take(whole);
  if (at < 0) {
    while (kept.length > 0) letGo();
    at = take(whole);
  }
  if (at < 0) return undefined;
  allIntegers.fill(UNSET, at / 4, (at + whole) / 4);
  const piece: Piece = {
    at,
    bytes: whole,
    fences: [],
    index: living.length,
    madeAt: undefined,
    freedAt: undefined,
  };
  guard(piece);
  living.push(piece);
  return piece;
}

/** Writes the guard words. */
function guard({ at, bytes, fences }: Piece): void {
  for (const place of [at, at + bytes - EDGE, ...fences]) {
    for (let i = place / 4; i < (place + EDGE) / 4; i++) allIntegers[i] = guardAt(i);
  }
}

/** Keeps what is freed from use for a while. */
function keep(piece: Piece): void {
  piece.freedAt = here();
  allIntegers.fill(FREED, piece.at / 4, (piece.at + piece.bytes) / 4);
  keptBytes += piece.bytes;
  kept.push(piece);
  while (keptBytes > KEPT_BYTES || kept.length > KEPT_PIECES) letGo();
}

/** Puts guard words at these places inside the piece whose buffer is at `ptr`. */
function fence(ptr: number, places: readonly number[]): void {
  const piece = pieces.get(ptr);
  if (piece === undefined) return;
  piece.fences = places;
  guard(piece);
}

/** Gives what was freed first back for use. */
function letGo(): void {
  const piece = kept.shift()!;
  keptBytes -= piece.bytes;
  release(piece.at, piece.bytes);
  const end = (piece.at + piece.bytes) / 4;
  for (let i = piece.at / 4; i < end; i++) if (allIntegers[i] !== FREED) fail(SOMETHING, piece, i);
}

/** The kernels, with a look before and after each call; plans look for themselves. */
function checked(kernels: Kernels): Kernels {
  const entries = Object.entries(kernels).map(([name, kernel]) => {
    if (name === "replay") return [name, kernel];
    const looking = (...args: number[]) => {
      look(JAVASCRIPT, args);
      const result = (kernel as (...args: number[]) => unknown)(...args);
      look(name, args);
      return result;
    };
    return [name, looking];
  });
  return Object.fromEntries(entries) as Kernels;
}

/** @throws CorruptionError if `who` has written over words of ours */
function look(who: string, args: readonly number[] = []): void {
  for (const ptr of args) {
    const piece = pieces.get(ptr);
    if (piece !== undefined) check(piece, who);
  }
  for (let n = Math.min(LOOKS, living.length); n > 0; n--) {
    turn = turn + 1 < living.length ? turn + 1 : 0;
    check(living[turn]!, who);
  }
  const words = allIntegers;
  for (const piece of kept) {
    const [first, end] = [(piece.at + EDGE) / 4, (piece.at + piece.bytes - EDGE) / 4];
    for (let i = first; i < first + EDGE / 4; i++) if (words[i] !== FREED) fail(who, piece, i);
    for (let i = end - EDGE / 4; i < end; i++) if (words[i] !== FREED) fail(who, piece, i);
  }
}

function check(piece: Piece, who: string): void {
  expectGuards(who, piece, piece.at);
  expectGuards(who, piece, piece.at + piece.bytes - EDGE);
  for (const place of piece.fences) expectGuards(who, piece, place);
}

function expectGuards(who: string, piece: Piece, at: number): void {
  const words = allIntegers;
  const first = at / 4;
  for (let i = first; i < first + EDGE / 4; i++) if (words[i] !== guardAt(i)) fail(who, piece, i);
}

/** Mends the words, so that it is told once. */
function fail(who: string, piece: Piece, word: number): never {
  const isFreed = piece.freedAt !== undefined;
  if (isFreed) allIntegers.fill(FREED, piece.at / 4, (piece.at + piece.bytes) / 4);
  else guard(piece);
  const size = piece.bytes - 2 * EDGE;
  const offset = 4 * word - piece.at - EDGE;
  const where = isFreed
    ? `into freed memory, byte ${offset} of what were ${size} bytes`
    : `byte ${offset} of a buffer of ${size} bytes`;
  const advice =
    who === JAVASCRIPT || who === SOMETHING
      ? "a view, tensor.data for instance, is valid until its tensor is freed"
      : "this is a mistake in nablas; please report it";
  const story = [
    piece.madeAt && `It was made\n${stack(piece.madeAt)}`,
    piece.freedAt && `It was freed\n${stack(piece.freedAt)}`,
    "It was noticed", // by whom: the stack of the error itself, which follows
  ];
  throw new CorruptionError([`${who} wrote ${where}; ${advice}`, ...story.filter(Boolean)].join("\n"));
}

/** The calls that led here, as many as lead from a step through modules within modules. */
function here(): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 64;
  const error = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/** Who called, without the frames of this file and of the buffer. */
function stack({ stack }: Error): string {
  return stack?.split("\n").slice(4).join("\n") ?? "";
}
