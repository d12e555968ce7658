// .npz: a ZIP archive of .npy files, one for each array.
import { type UnzipFileInfo, unzipSync, zipSync } from "fflate";
import type { Values } from "../data/column";
import { text } from "../errors";
import { FormatError, OptionError } from "../index";
import { read, saveNpy } from "./npy";

/** How many bytes deflate makes of one at most (RFC 1951: 258 of two bits, and their overhead). */
const MOST_FROM_ONE = 1032;

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
  if (typeof arrays !== "object" || arrays === null)
    throw new OptionError(`saveNpz: expected arrays by name, got ${text(arrays)}`);
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, saveNpy(array)]);
  return zipSync(Object.fromEntries(files), { level: options.compress === true ? 6 : 0 });
}

/**
 * The arrays of a .npz file by name, each as `loadNpy` gives it. Read whole or not at all; what it unpacks is at most 1,032 times
 * the size of the file, which is what deflate can make of it.
 * @throws FormatError for bytes that are no .npz file, a name that is there twice, or an array that `loadNpy` refuses
 */
export function loadNpz(bytes: Uint8Array | ArrayBuffer): Record<string, Values> {
  const op = "loadNpz";
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array))
    throw new FormatError(`${op}: expected a Uint8Array, got ${text(bytes)}`);
  let promised = 0;
  let packed = 0;
  const names = new Set<string>();
  const filter = ({ name, originalSize, size }: UnzipFileInfo) => {
    promised += originalSize;
    packed += size;
    // Entries that overlap would be copied as often as there are names for them.
    if (promised > MOST_FROM_ONE * file.length || packed > file.length)
      throw new FormatError(`${op}: ${name} promises more than ${file.length} bytes can hold`);
    if (names.has(name)) throw new FormatError(`${op}: ${name} is there twice`);
    if (!name.endsWith(".npy")) throw new FormatError(`${op}: ${name} is no .npy file`);
    names.add(name);
    return true;
  };
  const entries = unzipped(op, file, filter).map(
    ([name, contents]) => [name.slice(0, -4), read(`${op}: ${name}`, contents)] as const,
  );
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
