// Arrays: NumPy's files, and IDX.
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { FormatError, readIdx } from "../../src/index";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../../src/numpy/index";
import { idx } from "../playground/digitFiles";
import { bytesOf } from "../tfjsCases";
import { type Change, NUMBERS, replaced } from "./mutate";
import { hold, type Reader, sizeOf } from "./reader";
import { zipChanges } from "./zip";

/** What NumPy wrote. */
const numpy = JSON.parse(readFileSync(new URL("../numpy.json", import.meta.url), "utf8")) as {
  npy: Record<string, { file: string }>;
  npz: Record<string, string>;
};

const arrays = {
  a: { data: Float32Array.of(1, -2, 3, 4, 5, 6), shape: [2, 3] },
  b: { data: Uint8Array.of(1, 0, 255), shape: [3] },
};

function checkArray({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }): void {
  hold(data.length === sizeOf(shape), "as many values as the shape has");
  const again = loadNpy(saveNpy({ data: data as Float32Array, shape: [...shape] }));
  hold(
    Buffer.from(again.data.buffer).equals(Buffer.from((data as Float32Array).buffer)),
    "the same when written",
  );
}

const LITERALS = [
  ...[
    "True",
    "False",
    "None",
    "__import__('os').system('x')",
    "lambda: 0",
    "(2, 3)",
    "(3, 2)",
    "(6,)",
    "(-1, -6)",
  ],
  ...[
    "(2**31,)",
    "(1e3,)",
    "(,)",
    "(,,6)",
    "(6)",
    "(0, 9999999999)",
    "(99999999, 99999999)",
    "(1 2, 3)",
    "()",
  ],
  ...[
    "'<f4'",
    "'>f4'",
    "'|O'",
    "'O'",
    "'<f16'",
    "'<U9'",
    "'|V8'",
    "'<c8'",
    "'<constructor'",
    "'<M8[ns]'",
    "'<i8'",
  ],
  ...[
    "[('a', '<f4')]",
    "{'a': 1}",
    "'shape'",
    "'descr'",
    "'\\x27'",
    '"<f4"',
    "0",
    "1",
    "b'<f4'",
    "+=",
    "\ufeff",
  ],
];
const LITERAL = /'[^']*'|True|False|\([^)]*\)|\d+/g;

/** Changes of the header's text, with its length put right. */
const npyChange: Change = (bytes, draw) => {
  const [version, width] = [bytes[6], bytes[6] === 1 ? 2 : 4];
  const file = Buffer.from(bytes);
  if (file.length < 12 || version === undefined) return bytes;
  const start = 8 + width;
  const end = start + file.readUIntLE(8, width);
  const change = draw.of<(text: string) => string>([
    (text) => replaced(text, LITERAL, draw.of(LITERALS), draw),
    (text) => replaced(text, LITERAL, draw.of(text.match(LITERAL) ?? [""]), draw),
    (text) => replaced(text, /[,:{}]/g, draw.of(["", ",,", "{", "}", ":", " "]), draw),
    (text) => text.repeat(2),
    (text) => text.trimEnd(),
  ]);
  const header = Buffer.from(change(file.toString("latin1", start, end)), "latin1");
  const length = Buffer.alloc(width);
  length.writeUIntLE(Math.min(header.length, 2 ** (8 * width) - 1), 0, width);
  const magic = Buffer.from(file.subarray(0, 8));
  if (draw.below(8) === 0) magic[6] = draw.below(5);
  return Buffer.concat([magic, length, header, file.subarray(end)]);
};

export function npy(): Reader {
  const text = (header: string, values: Uint8Array) =>
    Buffer.concat([
      Buffer.from("\x93NUMPY\x01\0", "latin1"),
      Buffer.from([header.length, 0]),
      Buffer.from(header),
      values,
    ]);
  const files = [
    saveNpy(arrays.a),
    saveNpy(arrays.b),
    bytesOf(numpy.npy["float32, Fortran order"]!.file),
    text("{'descr': '>i8', 'fortran_order': True, 'shape': (2, 2), }\n", Buffer.alloc(32)),
    text("{'descr': '<f2', 'fortran_order': True, 'shape': (2, 3, 1), }\n", Buffer.alloc(12, 3)),
  ];
  const read = (bytes: Uint8Array) => checkArray(loadNpy(bytes));
  return { name: "loadNpy", files, changes: [npyChange], read, throws: FormatError };
}

export function npz(): Reader {
  const files = [
    saveNpz(arrays),
    saveNpz(arrays, { compress: true }),
    ...Object.values(numpy.npz).map(bytesOf),
  ];
  const entries = Object.entries(arrays).map(([name, array]) => ({
    ...{ name: `${name}.npy`, contents: saveNpy(array) },
  }));
  const read = (bytes: Uint8Array) => {
    for (const array of Object.values(loadNpz(bytes))) checkArray(array);
  };
  return { name: "loadNpz", files, changes: zipChanges(entries, npyChange), read, throws: FormatError };
}

/** A size of a header, which begins with four bytes. */
const sizeChange: Change = (bytes, draw) => {
  const file = Buffer.from(bytes);
  if (file.length < 8) return bytes;
  if (draw.below(3) === 0) file[draw.of([2, 3])] = draw.of([0, 1, 2, 3, 8, 9, 11, 12, 13, 14, 255]);
  const at = 4 + 4 * draw.below(Math.min(4, file[3]!));
  if (at + 4 <= file.length) file.writeUInt32BE(draw.of([...NUMBERS, draw.below(20)]), at);
  return file;
};

/** The same in what is gzipped. */
const inGzip =
  (change: Change): Change =>
  (bytes, draw) => {
    try {
      const plain = change(gunzipSync(bytes), draw);
      return draw.of([
        gzipSync(plain),
        gzipSync(gzipSync(plain)),
        Buffer.concat([gzipSync(plain), gzipSync(plain)]),
      ]);
    } catch {
      return gzipSync(change(bytes, draw));
    }
  };

export const idxFiles = [
  idx([2, 2, 2], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255)),
  idx([3], Uint8Array.of(9, 0, 3)),
];
export const idxChanges = [sizeChange, sizeChange, inGzip(sizeChange)];

export function idxReader(): Reader {
  const read = async (bytes: Uint8Array) => {
    const { data, shape } = await readIdx(bytes);
    hold(data.length === sizeOf(shape), "as many values as the shape has");
    const file = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
    hold(file.length === 4 + 4 * shape.length + data.byteLength, "all bytes are read");
  };
  return {
    ...{ name: "readIdx", files: [...idxFiles, gzipSync(idxFiles[0]!)], changes: idxChanges, read },
    throws: FormatError,
  };
}
