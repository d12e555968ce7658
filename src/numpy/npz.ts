// .npz: a ZIP archive of .npy files, one for each array.
import { type UnzipFileInfo, unzipSync, zipSync } from "fflate";
import type { Values } from "../data/column";
import { expectDict, text } from "../errors";
import { FormatError, OptionError } from "../index";
import { read, saveNpy } from "./npy";

/** How many bytes deflate makes of one at most (RFC 1951: 258 of two bits, and their overhead). */
const MOST_FROM_ONE = 1032;

/** Signatures and fields of ZIP's records (APPNOTE 4.3). */
const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const HEADER = 0x02014b50;
const HEADER_BYTES = 46;

/**
 * The bytes of a .npz file, as `numpy.savez` writes it, or with `compress` as `numpy.savez_compressed`.
 * @param arrays tensors, or values with their shapes, by name
 * @param options.compress default false
 * @throws OptionError for what `saveNpy` refuses
 */
export function saveNpz(
  arrays: Readonly<Record<string, Values>>,
  options: { compress?: boolean } = {},
): Uint8Array {
  if (typeof options !== "object" || options === null)
    throw new OptionError(`saveNpz: options are an object, got ${text(options)}`);
  const unknown = Object.keys(options).find((name) => name !== "compress");
  if (unknown !== undefined) throw new OptionError(`saveNpz: unknown option "${unknown}"; it takes compress`);
  expectDict("saveNpz", arrays);
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, saveNpy(array)]);
  return zipSync(Object.fromEntries(files), { level: options.compress === true ? 6 : 0 });
}

/**
 * The arrays of a .npz file by name, each as `loadNpy` gives it. Read whole or not at all; what it unpacks is at most 1,032 times
 * the size of the file, which is what deflate can make of it.
 * @throws FormatError for bytes that are no .npz file, a name that is there twice, a size or CRC-32 that differs, or an array that `loadNpy` refuses
 */
export function loadNpz(bytes: Uint8Array | ArrayBuffer): Record<string, Values> {
  const op = "loadNpz";
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array))
    throw new FormatError(`${op}: expected a Uint8Array, got ${text(bytes)}`);
  let promised = 0;
  let packed = 0;
  const sums = checkSums(op, file);
  const wanted = new Map<string, { sum: number; bytes: number }>();
  const filter = ({ name, originalSize, size }: UnzipFileInfo) => {
    promised += originalSize;
    packed += size;
    // Entries that overlap would be copied as often as there are names for them.
    if (promised > MOST_FROM_ONE * file.length || packed > file.length)
      throw new FormatError(`${op}: ${name} promises more than ${file.length} bytes can hold`);
    if (wanted.has(name)) throw new FormatError(`${op}: ${name} is there twice`);
    if (!name.endsWith(".npy")) throw new FormatError(`${op}: ${name} is no .npy file`);
    const sum = sums.next().value;
    if (sum === undefined) throw new FormatError(`${op}: the directory ends before ${name}`);
    wanted.set(name, { sum, bytes: originalSize });
    return true;
  };
  const unpacked = unzipped(op, file, filter);
  if (sums.next().value !== undefined)
    throw new FormatError(`${op}: the directory has more entries than are counted`);
  const entries = unpacked.map(([name, contents]) => {
    const { sum, bytes } = wanted.get(name)!;
    if (contents.length !== bytes || crc32(contents) !== sum)
      throw new FormatError(`${op}: ${name} is damaged: its size or CRC-32 differs`);
    return [name.slice(0, -4), read(`${op}: ${name}`, contents)] as const;
  });
  return Object.fromEntries(entries);
}

function unzipped(
  op: string,
  file: Uint8Array,
  filter: (info: UnzipFileInfo) => boolean,
): [string, Uint8Array][] {
  try {
    return Object.entries(unzipSync(file, { filter }));
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${op}: no ZIP archive that could be read (${(error as Error).message})`);
  }
}

/** The CRC-32 of each entry as the directory has it, in whose order fflate goes through it without looking at them. */
function* checkSums(op: string, file: Uint8Array): Generator<number, void> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const at = (offset: number, length = 4) => {
    if (offset < 0 || offset + length > file.length) throw new FormatError(`${op}: the directory is cut off`);
    return length === 4 ? view.getUint32(offset, true) : view.getUint16(offset, true);
  };
  let end = file.length - 22;
  while (end > 0 && at(end) !== END) end--;
  let offset = at(end + 16);
  if (end >= 20 && at(end - 20) === END64_LOCATOR) {
    const end64 = at(end - 12);
    if (at(end64) === END64) offset = at(end64 + 48);
  }
  while (at(offset) === HEADER) {
    yield at(offset + 16);
    offset += HEADER_BYTES + at(offset + 28, 2) + at(offset + 30, 2) + at(offset + 32, 2);
  }
}

/** By the table of all bytes (RFC 1952, 8). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}
