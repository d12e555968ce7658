// Files as they come from broken disks and from people who mean ill: cut, swapped, overwritten, grown.
import { randomNumbers } from "../src/data/random";

/** So many mutants of a file, each with up to four changes; the same seed gives the same ones. */
export function* mutants(file: Uint8Array, count: number, seed = 1): Generator<Uint8Array> {
  const random = randomNumbers(seed);
  const below = (n: number) => Math.floor(random() * n);
  const changes: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.slice(0, below(bytes.length + 1)),
    (bytes) => bitFlipped(bytes, below(bytes.length), below(8)),
    (bytes) => withByte(bytes, below(bytes.length), below(256)),
    (bytes) => withByte(bytes, below(bytes.length), [0, 1, 0x7f, 0x80, 0xff][below(5)]!),
    (bytes) => withByte(bytes, below(Math.min(64, bytes.length)), below(256)),
    (bytes) => digitChanged(bytes, below(bytes.length), below(10)),
    (bytes) => spliced(bytes, below(bytes.length), 0, bytes.slice(0, below(40))),
    (bytes) => spliced(bytes, below(bytes.length), below(40), new Uint8Array()),
    (bytes) => spliced(bytes, below(bytes.length), 0, bytes.slice(below(bytes.length))),
  ];
  for (let i = 0; i < count; i++) {
    let bytes: Uint8Array = file;
    for (let n = 1 + below(4); n > 0 && bytes.length > 0; n--) bytes = changes[below(changes.length)]!(bytes);
    yield bytes;
  }
}

function bitFlipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return withByte(bytes, at, bytes[at]! ^ (1 << bit));
}

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = byte;
  return changed;
}

/** The first digit of a number in text, from there on: sizes and offsets that lie. */
function digitChanged(bytes: Uint8Array, from: number, digit: number): Uint8Array {
  const at = bytes.findIndex((byte, i) => i >= from && byte >= 0x30 && byte <= 0x39);
  return at < 0 ? bytes : withByte(bytes, at, 0x30 + digit);
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(bytes.length, at + removed));
  const joined = new Uint8Array(at + added.length + rest.length);
  joined.set(bytes.subarray(0, at));
  joined.set(added, at);
  joined.set(rest, at + added.length);
  return joined;
}
