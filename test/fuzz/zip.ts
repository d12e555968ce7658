// ZIP archives (APPNOTE 6.3), right and wrong in every field.
import { deflateRawSync } from "node:zlib";
import { type Change, type Draw, NUMBERS } from "./mutate";

export interface Entry {
  name: string;
  contents: Uint8Array;
  /** Default true. */
  deflated?: boolean;
  /** What the headers say instead of the truth. */
  crc?: number;
  size?: number;
  packedSize?: number;
  method?: number;
  /** Bytes in the place of the deflated ones. */
  packed?: Uint8Array;
  /** Sizes and CRC-32 behind the data, zeros before it. */
  descriptor?: boolean;
  /** Where the central directory says the entry is. */
  offset?: number;
}

/** By bits, as the specification has it. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** Two and four bytes, little-endian. */
const u16 = (...values: number[]) => Buffer.from(Uint16Array.from(values).buffer);
const u32 = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);

/** An archive; with `zip64` what is in the last record is 0xffffffff, and in the records before it, as it is. */
export function zip(
  entries: readonly Entry[],
  options: { zip64?: boolean; count?: number } = {},
): Uint8Array {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const { name, contents, deflated = true, descriptor = false } = entry;
    const packed = entry.packed ?? (deflated ? deflateRawSync(contents) : contents);
    const { method = deflated ? 8 : 0, crc = crc32(contents), size = contents.length } = entry;
    const bytes = Buffer.from(name);
    const sums = u32(crc, entry.packedSize ?? packed.length, size);
    const start = Buffer.concat([u16(20, descriptor ? 8 : 0, method, 0, 0)]);
    const local = Buffer.concat([
      ...[u32(0x04034b50), start, descriptor ? u32(0, 0, 0) : sums, u16(bytes.length, 0), bytes, packed],
      ...(descriptor ? [u32(0x08074b50), sums] : []),
    ]);
    const rest = [u16(bytes.length, 0, 0, 0, 0), u32(0, entry.offset ?? at), bytes];
    central.push(Buffer.concat([u32(0x02014b50), u16(20), start, sums, ...rest]));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const count = options.count ?? entries.length;
  const end = (n: number, size: number, offset: number) =>
    Buffer.concat([u32(0x06054b50), u16(0, 0, n, n), u32(size, offset), u16(0)]);
  if (options.zip64 !== true) return Buffer.concat([...locals, directory, end(count, directory.length, at)]);
  const record = Buffer.concat([
    ...[u32(0x06064b50, 44, 0), u16(45, 45), u32(0, 0), u32(count, 0, count, 0)],
    u32(directory.length, 0, at, 0),
  ]);
  const locator = u32(0x07064b50, 0, at + directory.length, 0, 1);
  const last = end(65_535, 2 ** 32 - 1, 2 ** 32 - 1);
  return Buffer.concat([...locals, directory, record, locator, last]);
}

/** The fields of the headers by their signatures: offsets, and bytes. */
const FIELDS = new Map<number, readonly (readonly [offset: number, bytes: 2 | 4])[]>([
  [
    0x04034b50,
    [
      [6, 2],
      [8, 2],
      [14, 4],
      [18, 4],
      [22, 4],
      [26, 2],
      [28, 2],
    ],
  ],
  [
    0x02014b50,
    [
      [8, 2],
      [10, 2],
      [16, 4],
      [20, 4],
      [24, 4],
      [28, 2],
      [30, 2],
      [32, 2],
      [42, 4],
    ],
  ],
  [
    0x06054b50,
    [
      [8, 2],
      [10, 2],
      [12, 4],
      [16, 4],
      [20, 2],
    ],
  ],
  [
    0x06064b50,
    [
      [32, 4],
      [48, 4],
    ],
  ],
  [0x07064b50, [[8, 4]]],
]);

/** A field of a header that lies. */
const fieldChanged: Change = (bytes, draw) => {
  const file = Buffer.from(bytes);
  const headers: number[] = [];
  for (let at = 0; at + 4 <= file.length; at++) if (FIELDS.has(file.readUInt32LE(at))) headers.push(at);
  if (headers.length === 0) return bytes;
  const at = draw.of(headers);
  const [offset, size] = draw.of(FIELDS.get(file.readUInt32LE(at))!);
  if (at + offset + size > file.length) return bytes;
  const old = file.readUIntLE(at + offset, size);
  const value = draw.of([...NUMBERS, old + 1, old - 1, 2 * old, file.length, draw.below(file.length)]);
  file.writeUIntLE(Math.min(Math.max(value, 0), 2 ** (8 * size) - 1), at + offset, size);
  return file;
};

/** The file's own contents in an archive that is right but for one thing. */
const repacked = (
  entries: readonly Entry[],
  change: (contents: Uint8Array, draw: Draw) => Uint8Array,
): Change => {
  return (_, draw) => {
    const list = entries.map((entry) => ({ ...entry }));
    const entry = draw.of(list);
    const faults: (() => void)[] = [
      () => (entry.contents = change(entry.contents, draw)),
      () => (entry.size = draw.of(NUMBERS)),
      () => (entry.crc = draw.of(NUMBERS)),
      () => (entry.packedSize = draw.of(NUMBERS)),
      () => (entry.packed = change(deflateRawSync(entry.contents), draw)),
      () => (entry.method = draw.of([0, 1, 8, 9, 12, 14, 99])),
      () =>
        (entry.name = draw.of(["__proto__.npy", "a", ".npy", "../a.npy", "constructor.npy", list[0]!.name])),
      () => (entry.descriptor = true),
      () => (entry.offset = draw.below(200)),
      () => (entry.deflated = false),
    ];
    draw.of(faults)();
    return zip(list, { zip64: draw.below(4) === 0, count: draw.of([list.length, list.length, 0, 1, 9]) });
  };
};

export const zipChanges = (
  entries: readonly Entry[],
  change: (contents: Uint8Array, draw: Draw) => Uint8Array,
): readonly Change[] => [fieldChanged, repacked(entries, change)];
