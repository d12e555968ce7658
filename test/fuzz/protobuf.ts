// Changes of messages of Protocol Buffers that know tags, wire types and lengths.
import { type Change, type Draw, spliced } from "./mutate";

interface Field {
  start: number;
  end: number;
  /** Where the value begins, behind tag and length. */
  value: number;
  tag: number;
  wire: number;
}

function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return [value, at + i + 1];
  }
  throw new RangeError();
}

/** The fields of the message from `at` to `end`; throws where there is none. */
function fieldsOf(bytes: Uint8Array, at: number, end: number): Field[] {
  const fields: Field[] = [];
  for (let start = at; start < end; ) {
    const [key, next] = varint(bytes, start);
    const wire = key % 8;
    let [value, stop] = [next, next];
    if (wire === 0) [, stop] = varint(bytes, next);
    else if (wire === 1) stop += 8;
    else if (wire === 5) stop += 4;
    else if (wire === 2) {
      const [length, first] = varint(bytes, next);
      [value, stop] = [first, first + length];
    } else throw new RangeError();
    if (stop > end || key < 8) throw new RangeError();
    fields.push({ start, end: stop, value, tag: Math.floor(key / 8), wire });
    start = stop;
  }
  return fields;
}

/** Tag and length; beyond 2^35 as many bytes as varints have at most. */
function encoded(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

const message = (tag: number, contents: Uint8Array) =>
  Buffer.concat([Uint8Array.of(...encoded(8 * tag + 2), ...encoded(contents.length)), contents]);

const TEN = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
/** An attribute's graph (6) in a node's attribute (5) in a graph's node (1), so often. */
function nested(levels: number): Uint8Array {
  let inner: Uint8Array = new Uint8Array();
  for (let i = 0; i < levels; i++) inner = message(1, message(5, message(6, inner)));
  return inner;
}
const NESTED = [1, 10, 1000].map(nested);

const VARINTS = [[0], [1], [127], [128, 1], [255, 255, 255, 255, 15], TEN, [...TEN.slice(0, 9), 255, 1]];
const NAMES = [
  "",
  "__proto__",
  "constructor",
  "x",
  "y",
  "0.weight",
  "forward",
  "Reshape",
  "Gemm",
  "MatMul",
  "Add",
];

/** What a field becomes. */
const alterations: ((bytes: Uint8Array, field: Field, draw: Draw) => Uint8Array)[] = [
  // Another number, or another type: groups (3 and 4) and those that do not exist (6 and 7).
  (bytes, { tag, wire, start, end }, { of, below }) => {
    const key = of([8 * tag + below(8), 8 * (1 + below(25)) + wire, 8 * tag + 3, 8 * tag + 4]);
    const [, after] = varint(bytes, start);
    return Uint8Array.of(...encoded(key), ...bytes.subarray(after, end));
  },
  (bytes, { tag, wire, value, end }, { of }) =>
    wire === 0
      ? Uint8Array.of(...encoded(8 * tag), ...of(VARINTS))
      : Uint8Array.of(...encoded(8 * tag + 2), ...of(VARINTS), ...bytes.subarray(value, end)),
  (_, { tag }, { of }) => message(tag, new TextEncoder().encode(of(NAMES))),
  () => new Uint8Array(),
  (bytes, { start, end }) => Buffer.concat([bytes.subarray(start, end), bytes.subarray(start, end)]),
  (bytes, { tag, value, end }, { below }) => message(tag, bytes.subarray(value, value + below(end - value))),
  (_, { tag }, { of }) => message(tag, of(NESTED)),
  (bytes, { tag, start, end }) => message(tag, bytes.subarray(start, end)),
];

/** With a field changed somewhere in the tree of messages, and the lengths around it put right. */
function altered(bytes: Uint8Array, draw: Draw, start = 0, end = bytes.length): Uint8Array {
  const fields = fieldsOf(bytes, start, end);
  if (fields.length === 0) throw new RangeError();
  const field = draw.of(fields);
  const around = (by: Uint8Array) =>
    spliced(bytes.subarray(start, end), field.start - start, field.end - field.start, by);
  if (field.wire === 2 && draw.below(4) > 0) {
    try {
      return around(message(field.tag, altered(bytes, draw, field.value, field.end)));
    } catch {
      // Text or numbers: changed as a whole.
    }
  }
  return around(draw.of(alterations)(bytes, field, draw));
}

/** A field of another place of the file, or of another one, in the place of one. */
const swapped: Change = (bytes, draw) => {
  const fields = fieldsOf(bytes, 0, bytes.length).filter(({ wire }) => wire === 2);
  const { value, end } = draw.of(fields);
  const inner = fieldsOf(bytes, value, end);
  const [a, b] = [draw.of(inner), draw.of(inner)];
  const changed = spliced(
    bytes.subarray(value, end),
    a.start - value,
    a.end - a.start,
    bytes.subarray(b.start, b.end),
  );
  return spliced(bytes, value, end - value, changed);
};

const attempted =
  (change: Change): Change =>
  (bytes, draw) => {
    try {
      return change(bytes, draw);
    } catch {
      // Already damaged beyond that.
      return bytes;
    }
  };

export const protobufChanges: readonly Change[] = [
  attempted((bytes, draw) => altered(bytes, draw)),
  attempted((bytes, draw) => altered(bytes, draw)),
  attempted(swapped),
];
