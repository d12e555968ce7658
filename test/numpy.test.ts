// Files of NumPy: test/numpy.json has some that it has written; where Python has it, it reads ours.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FormatError, Linear, manualSeed, OptionError, tensor } from "../src/index";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../src/numpy/index";

interface Files {
  npy: Record<string, { file: string; shape: number[]; values: (number | null)[] }>;
  npz: Record<string, string>;
  refused: Record<string, string>;
}

const files = JSON.parse(readFileSync(new URL("numpy.json", import.meta.url), "utf8")) as Files;
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const hasNumpy = spawnSync("python3", ["-c", "import numpy"]).status === 0;
if (!hasNumpy) console.warn("SKIPPED reading by NumPy: no python3 with numpy");

describe("files that NumPy wrote", () => {
  test.each(Object.entries(files.npy))("%s", (_, { file, shape, values }) => {
    const array = loadNpy(bytesOf(file));
    expect(array.shape).toEqual(shape);
    expect(Array.from(array.data, (x) => (Number.isFinite(x) ? x : null))).toEqual(values);
  });

  test.each(Object.entries(files.npz))("%s", (_, file) => {
    const arrays = loadNpz(bytesOf(file));
    expect(Object.keys(arrays)).toEqual(["weight", "bias"]);
    expect(Array.from(arrays.weight!.data)).toEqual(files.npy.float32!.values);
    expect(Array.from(arrays.bias!.data)).toEqual(files.npy.float64!.values);
  });

  test.each(Object.entries(files.refused))("%s is refused", (_, file) => {
    expect(() => loadNpy(bytesOf(file))).toThrow(FormatError);
    expect(() => loadNpy(bytesOf(file))).toThrow(/^loadNpy: (the type|the header|int64 becomes)/);
  });
});

describe("files of ours", () => {
  test("have the bytes that NumPy writes", () => {
    for (const name of ["float32", "float64", "int32", "uint8", "a number", "none"]) {
      const file = bytesOf(files.npy[name]!.file);
      expect([name, saveNpy(loadNpy(file))]).toEqual([name, file]);
    }
  });

  test("take tensors, and give what tensor takes", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const { data, shape } = loadNpy(saveNpy(x));
    expect(tensor(data, { shape }).toArray()).toEqual(x.toArray());
    manualSeed(1);
    const [from, to] = [new Linear(3, 2), new Linear(3, 2)];
    for (const compress of [false, true]) {
      const arrays = loadNpz(saveNpz(from.stateDict(), { compress }));
      const state = Object.entries(arrays).map(([name, { data, shape }]) => [name, tensor(data, { shape })]);
      to.loadStateDict(Object.fromEntries(state));
      expect(to.weight.toArray()).toEqual(from.weight.toArray());
    }
  });

  test.skipIf(!hasNumpy)("are read by NumPy", () => {
    const folder = mkdtempSync(join(tmpdir(), "nablas-numpy-"));
    try {
      writeFileSync(
        join(folder, "a.npy"),
        saveNpy({ data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] }),
      );
      writeFileSync(
        join(folder, "b.npz"),
        saveNpz({ a: { data: Int8Array.of(-1, 1), shape: [2] } }, { compress: true }),
      );
      const script = "import numpy as np; print(np.load('a.npy').tolist(), np.load('b.npz')['a'].tolist())";
      const { stdout } = spawnSync("python3", ["-c", script], { cwd: folder, encoding: "utf8" });
      expect(stdout.trim()).toBe("[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]] [-1, 1]");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("refuse what is none", () => {
    expect(() => saveNpy([1] as never)).toThrow(OptionError);
    expect(() => saveNpy({ data: Float32Array.of(1), shape: [2] })).toThrow(
      "saveNpy: [2] are 2 values, got 1",
    );
    expect(() => saveNpz({}, { level: 3 } as never)).toThrow('unknown option "level"; it takes compress');
    expect(() => saveNpz({ a: 1 as never })).toThrow("saveNpy: expected a tensor or { data, shape }");
  });
});

describe("files that lie", () => {
  const good = saveNpy({ data: Float32Array.of(1, 2), shape: [2] });
  const changed = (from: string, to: string) => {
    const text = Buffer.from(good).toString("latin1").replace(from, to.padEnd(from.length));
    return new Uint8Array(Buffer.from(text, "latin1"));
  };
  test.each([
    ["nothing", new Uint8Array(), "it does not begin with \\x93NUMPY"],
    ["a version to come", good.with(6, 9), "version 9 is not known"],
    ["a header beyond the file", good.with(9, 99), "the header's length is 25462, but there is room for 126"],
    ["another shape", changed("(2,)", "(3,)"), "[3] of <f4 take 12 bytes, got 8"],
    ["a huge shape", changed("(2,), }  ", "(99999999,)}"), "[99999999] of <f4 take 399999996 bytes, got"],
    ["no shape", changed("'shape'", "'shade'"), "no descr, fortran_order and shape"],
    ["an expression", changed("(2,)", "f(2)"), "no descr, fortran_order and shape"],
  ])("%s", (_, bytes, message) => {
    expect(() => loadNpy(bytes as Uint8Array)).toThrow(message);
    expect(() => loadNpy(bytes as Uint8Array)).toThrow(FormatError);
  });

  test("an archive that promises more than it can hold is not unpacked", () => {
    const bomb = saveNpz({ a: { data: new Uint8Array(50), shape: [50] } });
    const view = new DataView(bomb.buffer);
    const directory = bomb.findLastIndex(
      (_, i) => i + 4 <= bomb.length && view.getUint32(i, true) === 0x02014b50,
    );
    view.setUint32(directory + 24, 0xfffffff0, true);
    expect(() => loadNpz(bomb)).toThrow("loadNpz: a.npy promises more than");
  });

  test("sizes before a 0 take no memory, in either order", () => {
    const empty = Buffer.from(saveNpy({ data: new Float32Array(0), shape: [9007199254740991, 0] }));
    expect(loadNpy(new Uint8Array(empty)).shape).toEqual([9007199254740991, 0]);
    const fortran = Buffer.from(empty.toString("latin1").replace("False, ", "True,  "), "latin1");
    const { data, shape } = loadNpy(new Uint8Array(fortran));
    expect([data.length, shape]).toEqual([0, [9007199254740991, 0]]);
  });

  test("thousands of sizes of 1 are passed over", () => {
    const data = Float32Array.from({ length: 300_000 }, (_, i) => i);
    const shape = [1000, 300, ...Array.from({ length: 3000 }, () => 1)];
    const file = Buffer.from(saveNpy({ data, shape }));
    const fortran = Buffer.from(file.toString("latin1").replace("False, ", "True,  "), "latin1");
    const read = loadNpy(new Uint8Array(fortran));
    expect([read.shape.length, ...read.data.slice(0, 3)]).toEqual([3002, 0, 1000, 2000]);
  });

  test("an archive with a name twice, or with entries that overlap, is not unpacked", () => {
    const array = { data: new Uint8Array(50), shape: [50] };
    const zip = Buffer.from(saveNpz({ a: array, b: array }));
    const twice = Buffer.from(zip.toString("latin1").replaceAll("b.npy", "a.npy"), "latin1");
    expect(() => loadNpz(new Uint8Array(twice))).toThrow("loadNpz: a.npy is there twice");
    const directory = zip.indexOf("PK\x01\x02", 0, "latin1");
    const second = zip.indexOf("PK\x01\x02", directory + 4, "latin1");
    // Both entries claim all bytes of values, and nothing when unpacked.
    for (const at of [directory, second]) {
      zip.writeUInt32LE(directory, at + 20);
      zip.writeUInt32LE(0, at + 24);
      zip.writeUInt32LE(0, at + 42);
    }
    expect(() => loadNpz(new Uint8Array(zip))).toThrow("loadNpz: b.npy promises more than");
  });

  test.each([
    [
      "sizes below 0",
      { data: new Float32Array(3), shape: [-1, -3] },
      "a shape has integers ≥ 0, got [-1, -3]",
    ],
    ["fractions", { data: new Float32Array(3), shape: [0.5, 6] }, "a shape has integers ≥ 0, got [0.5, 6]"],
    ["no shape", { data: new Float32Array(3) }, "expected a tensor or { data, shape }"],
    ["nothing", null, "expected a tensor or { data, shape }, got null"],
  ])("%s are not written", (_, array, message) => {
    expect(() => saveNpy(array as never)).toThrow(message);
    expect(() => saveNpy(array as never)).toThrow(OptionError);
  });
});
