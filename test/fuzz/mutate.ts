// Files as they come from broken disks and from people who mean ill: cut, swapped, overwritten, grown, put together from two, and
// changed by those who know the format.
import { randomNumbers } from "../../src/data/random";

/** Where mutations take their decisions from. */
export interface Draw {
  /** An integer from 0 to n − 1. */
  below(n: number): number;
  of<T>(items: readonly T[]): T;
}

/** A change of a file. */
export type Change = (bytes: Uint8Array, draw: Draw) => Uint8Array;

export function drawing(seed: number): Draw {
  const random = randomNumbers(seed);
  const below = (n: number) => Math.floor(random() * n);
  return { below, of: (items) => items[below(items.length)]! };
}

/** Sizes, counts and offsets that lie. */
export const NUMBERS = [0, 1, 2, 3, 127, 128, 255, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** What can be done to any file. */
const general: readonly Change[] = [
  (bytes, { below }) => bytes.slice(0, below(bytes.length + 1)),
  (bytes, { below }) => withByte(bytes, below(bytes.length), (byte) => byte ^ (1 << below(8))),
  (bytes, { below }) => withByte(bytes, below(bytes.length), () => below(256)),
  (bytes, { below, of }) => withByte(bytes, below(bytes.length), () => of([0, 1, 0x7f, 0x80, 0xff])),
  (bytes, { below }) => withByte(bytes, below(Math.min(64, bytes.length)), () => below(256)),
  (bytes, { below }) => digitChanged(bytes, below(bytes.length), below(10)),
  (bytes, { below }) => spliced(bytes, below(bytes.length), 0, bytes.slice(0, below(40))),
  (bytes, { below }) => spliced(bytes, below(bytes.length), below(40), new Uint8Array()),
  (bytes, { below }) => spliced(bytes, below(bytes.length), 0, bytes.slice(below(bytes.length))),
  (bytes, { below, of }) => {
    const word = new DataView(new ArrayBuffer(4));
    word.setUint32(0, of(NUMBERS), below(2) === 0);
    return spliced(bytes, below(bytes.length), 4, new Uint8Array(word.buffer));
  },
];

/**
 * So many mutants of some valid files, each with up to four changes, half of them by `known`, the changes that know the format;
 * among them random bytes, nothing at all, and the beginning of one file with the end of another. The same seed gives the same ones.
 */
export function* mutants(
  files: readonly Uint8Array[],
  count: number,
  known: readonly Change[] = general,
  seed = 1,
): Generator<Uint8Array> {
  const draw = drawing(seed);
  const { below, of } = draw;
  const any = (): Uint8Array => {
    const file = of(files);
    const kind = below(100);
    if (kind === 0) return Uint8Array.from({ length: below(300) }, () => below(256));
    if (kind > 10) return file;
    const other = of(files);
    return spliced(file.subarray(0, below(file.length)), Infinity, 0, other.subarray(below(other.length)));
  };
  yield new Uint8Array();
  for (let i = 1; i < count; i++) {
    let bytes = any();
    for (let n = 1 + below(4); n > 0 && bytes.length > 0; n--) {
      bytes = of(below(2) === 0 ? known : general)(bytes, draw);
    }
    yield bytes;
  }
}

function withByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = change(bytes[at]!);
  return changed;
}

/** The first digit of a number in text, from there on. */
function digitChanged(bytes: Uint8Array, from: number, digit: number): Uint8Array {
  const at = bytes.findIndex((byte, i) => i >= from && byte >= 0x30 && byte <= 0x39);
  return at < 0 ? bytes : withByte(bytes, at, () => 0x30 + digit);
}

/** With some bytes in the place of `removed` of them at `at`. */
export function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const start = Math.min(at, bytes.length);
  return Buffer.concat([bytes.subarray(0, start), added, bytes.subarray(start + removed)]);
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A change of the text that bytes are. */
export const inText =
  (change: (text: string, draw: Draw) => string): Change =>
  (bytes, draw) =>
    utf8.encode(change(text.decode(bytes), draw));

/** A match of a pattern in a text, if there is one, by another text. */
export function replaced(source: string, pattern: RegExp, by: string, { of }: Draw): string {
  const matches = [...source.matchAll(pattern)];
  if (matches.length === 0) return source;
  const { 0: match, index } = of(matches);
  return source.slice(0, index) + by + source.slice(index + match.length);
}
