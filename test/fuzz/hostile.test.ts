// Files that are made to be read wrongly, to take memory or time, or to do something when they are read.
import { spawnSync } from "node:child_process";
import { deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  FormatError,
  getRngState,
  Linear,
  loadCheckpoint,
  memory,
  OptionError,
  readIdx,
  saveCheckpoint,
  tensor,
  zeros,
} from "../../src/index";
import { loadNpy, loadNpz, saveNpy } from "../../src/numpy/index";
import { crc32, type Entry, zip } from "./zip";

const array = saveNpy({ data: Float32Array.of(1, 2, 3), shape: [3] });
const entry = (change: Partial<Entry> = {}): Entry => ({ name: "a.npy", contents: array, ...change });
const cut = deflateRawSync(array).subarray(0, -3);

describe("an archive", () => {
  test.each<[string, Uint8Array]>([
    ["stored", zip([entry({ deflated: false })])],
    ["with sizes behind the data", zip([entry({ descriptor: true })])],
    ["with zip64", zip([entry()], { zip64: true })],
  ])("%s is read", (_, file) => {
    expect(loadNpz(file)).toEqual({ a: { data: Float32Array.of(1, 2, 3), shape: [3] } });
  });

  const bomb = new Uint8Array(1_000_000);
  test.each<[string, Uint8Array, string]>([
    [
      "a CRC-32 that differs",
      zip([entry({ crc: crc32(array) ^ 1 })]),
      "a.npy is damaged: its size or CRC-32 differs",
    ],
    [
      "a value that was changed",
      zip([entry({ deflated: false })]).with(130, 9),
      "its size or CRC-32 differs",
    ],
    ["a size too small", zip([entry({ size: array.length - 4 })]), "a.npy"],
    ["a size too large", zip([entry({ size: array.length + 4 })]), "a.npy"],
    ["deflate that is cut off", zip([entry({ packed: cut })]), "no ZIP archive"],
    ["an unknown method", zip([entry({ method: 12 })]), "no ZIP archive"],
    ["a name twice", zip([entry(), entry()]), "a.npy is there twice"],
    [
      "more entries than it counts",
      zip([entry(), entry({ name: "b.npy" })], { count: 1 }),
      "than are counted",
    ],
    ["fewer entries than it counts", zip([entry()], { count: 2 }), "loadNpz"],
    ["zeros without end, small as the file says", zip([entry({ contents: bomb, size: 1000 })]), "a.npy"],
    ["a size beyond what deflate can do", zip([entry({ size: 2 ** 31 })]), "promises more than"],
    [
      "entries that overlap",
      zip(Array.from({ length: 9 }, (_, i) => entry({ name: `${i}.npy`, offset: 0, packedSize: 500 }))),
      "promises more",
    ],
    ["an archive in it", zip([entry({ contents: zip([entry()]) })]), "does not begin with"],
    ["another file in it", zip([entry(), entry({ name: "run.sh" })]), "run.sh is no .npy file"],
  ])("with %s is refused whole", (_, file, message) => {
    expect(() => loadNpz(file)).toThrow(FormatError);
    expect(() => loadNpz(file)).toThrow(message);
  });

  test("with the names of what objects have is read", () => {
    const arrays = loadNpz(zip([entry({ name: "__proto__.npy" }), entry({ name: "constructor.npy" })]));
    expect(Object.keys(arrays)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(arrays)).toBe(Object.prototype);
  });
});

describe("an array", () => {
  const file = (header: string) =>
    Buffer.concat([
      Buffer.from("\x93NUMPY\x01\0", "latin1"),
      Buffer.from(Uint16Array.of(header.length).buffer),
      Buffer.from(header),
      new Uint8Array(12),
    ]);
  test.each<[string, string]>([
    ["of pickled objects", "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\n"],
    ["of records", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }\n"],
    ["of a method of objects", "{'descr': '<constructor', 'fortran_order': False, 'shape': (3,), }\n"],
    ["whose shape is a number", "{'descr': '<f4', 'fortran_order': False, 'shape': (3), }\n"],
    ["whose shape has gaps", "{'descr': '<f4', 'fortran_order': False, 'shape': (,3), }\n"],
    ["whose shape is a call", "{'descr': '<f4', 'fortran_order': False, 'shape': exit(), }\n"],
    ["with code behind it", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } or exit()\n"],
    ["with a key twice", "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n"],
  ])("%s is refused", (_, header) => {
    expect(() => loadNpy(file(header))).toThrow(FormatError);
  });
});

test("IDX gzipped twice, and sizes whose product is beyond all numbers, are refused", async () => {
  const idx = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5);
  await expect(readIdx(gzipSync(gzipSync(idx)))).rejects.toThrow(FormatError);
  const sizes = new Uint8Array(255 * 4).fill(255);
  await expect(readIdx(Uint8Array.of(0, 0, 14, 255, ...sizes))).rejects.toThrow(FormatError);
});

/** A checkpoint with another text in the place of `"here"` in what it saved as it is. */
function checkpointWith(json: string): Uint8Array {
  const bytes = Buffer.from(saveCheckpoint({ model: new Linear(2, 2), kept: "here" }));
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, end)) as { __metadata__: { nablas: string } };
  header.__metadata__.nablas = header.__metadata__.nablas.replace('"here"', () => json);
  const written = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(written.length));
  return Buffer.concat([length, written, bytes.subarray(end)]);
}

describe("a checkpoint", () => {
  const weight = '{"$tensor":"model.weight"}';
  test.each<[string, string]>([
    ["nested without end", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["that asks for a tensor twice", `[${weight},${weight}]`],
    ["that asks for a tensor that is none", '{"$tensor":"__proto__"}'],
  ])("%s is refused, and nothing has changed", (_, json) => {
    const file = checkpointWith(json);
    const model = new Linear(2, 2);
    const before = [model.weight.toArray(), getRngState(), memory()];
    expect(() => loadCheckpoint(file, { model })).toThrow(FormatError);
    expect([model.weight.toArray(), getRngState(), memory()]).toEqual(before);
  });

  test.each<[string, string, unknown]>([
    ["no tensor's name", '{"$tensor":{"toString":1}}', { $tensor: { toString: 1 } }],
    ["no number", '{"$number":{"valueOf":1}}', { $number: { valueOf: 1 } }],
    ["prototypes", '{"__proto__":{"x":1}}', JSON.parse('{"__proto__":{"x":1}}')],
  ])("keeps data as data: %s", (_, json, expected) => {
    const { kept } = loadCheckpoint(checkpointWith(json), {});
    expect(JSON.stringify(kept)).toBe(JSON.stringify(expected));
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  test("is not written of data that go round in circles", () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => saveCheckpoint({ circle: circle as never })).toThrow(OptionError);
  });

  test("takes memory in proportion to the file", () => {
    const x = tensor(new Float32Array(2 ** 18));
    const model = { stateDict: () => ({ x }), loadStateDict: () => {} };
    const good = Buffer.from(saveCheckpoint({ model }));
    const end = 8 + Number(good.readBigUInt64LE());
    const header = JSON.parse(good.toString("utf8", 8, end)) as { __metadata__: { nablas: string } };
    const saved = JSON.parse(header.__metadata__.nablas);
    saved.data = { all: Array.from({ length: 20_000 }, () => ({ $tensor: "model.x" })) };
    header.__metadata__.nablas = JSON.stringify(saved);
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const { reserved } = memory();
    expect(() => loadCheckpoint(Buffer.concat([length, json, good.subarray(end)]), { model })).toThrow(
      FormatError,
    );
    expect(memory().reserved).toBeLessThan(reserved + 2 ** 24);
    x.dispose();
    zeros([1]).dispose();
  });
});

/** Runs the built package where no text can become code; heap in MB. */
function run(code: string, input: Uint8Array, heap = 64): { out: string; error: string } {
  const args = [
    "--disallow-code-generation-from-strings",
    `--max-old-space-size=${heap}`,
    "--input-type=module",
  ];
  const { stdout, stderr } = spawnSync(process.execPath, [...args, "--eval", code], {
    ...{ cwd: new URL("../../", import.meta.url), input, encoding: "utf8" },
  });
  return { out: stdout.trim(), error: stderr };
}

test.each<[string, string, () => Uint8Array]>([
  [
    "keys of a checkpoint",
    "loadCheckpoint",
    () => checkpointWith(`{${Array.from({ length: 200_000 }, (_, i) => `"${i}":[]`).join()}}`),
  ],
  [
    "an archive of small arrays",
    "loadNpz",
    () => zip(Array.from({ length: 3000 }, (_, i) => entry({ name: `${i}.npy` }))),
  ],
  ["an archive that promises much", "loadNpz", () => zip([entry({ contents: new Uint8Array(30_000_000) })])],
])("%s: with a heap of 64 bytes for each byte of the file", (_, name, make) => {
  const file = make();
  const code = `
    import { readFileSync } from "node:fs";
    import * as nablas from "nablas";
    import * as numpy from "nablas/numpy";
    try { ({ ...nablas, ...numpy }).${name}(readFileSync(0), {}); console.log("read"); }
    catch (error) { console.log(error.constructor.name); }`;
  const heap = Math.ceil(24 + (64 * file.length) / 2 ** 20);
  expect(run(code, file, heap).out).toMatch(/^(read|FormatError)$/);
});
