// Every reader of files: valid ones to begin with, the changes that know their format, and what has to hold of what is read.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { readRows } from "../../examples/digits/csv";
import { InputError } from "../../examples/digits/input-error";
import { toDigits } from "../../examples/digits/read";
import { isTable, toTable } from "../../examples/digits/table";
import { Refusal, readFile as readDigitFile } from "../../playground/engine/digits/files";
import {
  Adam,
  BatchNorm1d,
  crossEntropyLoss,
  dataset,
  FormatError,
  fit,
  GELU,
  LayerNorm,
  Linear,
  loadCheckpoint,
  loadSafetensors,
  manualSeed,
  memory,
  NablasError,
  ReLU,
  readIdx,
  Sequential,
  Softplus,
  Standardise,
  saveCheckpoint,
  saveSafetensors,
  scope,
  tensor,
  zeros,
} from "../../src/index";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../../src/numpy/index";
import { fromOnnx, toOnnx } from "../../src/onnx/index";
import { fromTfjs } from "../../src/tfjs/index";
import { csv, idx } from "../playground/digitFiles";
import { bytesOf, named, cases as tfjsCases } from "../tfjsCases";
import { headerChanges, jsonChanges } from "./json";
import { type Change, type Draw, inText, NUMBERS, replaced } from "./mutate";
import { protobufChanges } from "./protobuf";
import { zipChanges } from "./zip";

export interface Reader {
  name: string;
  files: readonly Uint8Array[];
  changes: readonly Change[];
  /**
   * Reads, checks that what was read is right and what was refused changed nothing, and frees it. Throws what the reader throws, and
   * Error for what does not hold.
   */
  read(bytes: Uint8Array): void | Promise<void>;
  /** What the reader says that it throws. */
  throws: new (
    ...args: never[]
  ) => Error;
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(`does not hold: ${what}`);
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

function safetensors(): Reader {
  manualSeed(2);
  const model = new Sequential(new Linear(3, 4), new BatchNorm1d(4));
  const files = [
    saveSafetensors(model.stateDict(), { format: "pt", note: "ü" }),
    saveSafetensors({ x: tensor([[1, 2]]), n: tensor([3], { dtype: "i32" }), none: zeros([0, 3]) }),
    half,
  ];
  const state = () => saveSafetensors(model.stateDict());
  const before = state();
  const read = (bytes: Uint8Array) =>
    scope(() => {
      const { tensors, metadata } = loadSafetensors(bytes);
      const again = loadSafetensors(saveSafetensors(tensors, metadata)).tensors;
      for (const [name, t] of Object.entries(tensors)) {
        hold(
          t.size === sizeOf(t.shape) && t.shape.every((n) => Object.is(n, Math.abs(n))),
          `the shape of ${name}`,
        );
        const [a, b] = [t, again[name]!].map(({ data }) =>
          Buffer.from(data.buffer, data.byteOffset, data.byteLength),
        );
        hold(a!.equals(b!), `${name} is the same when it is written again`);
      }
      try {
        model.loadStateDict(tensors);
        model.loadStateDict(loadSafetensors(before).tensors);
      } catch (error) {
        if (!(error instanceof NablasError)) throw error;
        hold(Buffer.from(state()).equals(before), "a state that does not fit changes nothing");
      }
    });
  return { name: "loadSafetensors", files, changes: headerChanges, read, throws: FormatError };
}

/** f16, bf16 and i64. */
const half = (() => {
  const header = Buffer.from(
    '{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]},' +
      '"i":{"dtype":"I64","shape":[2],"data_offsets":[8,24]}}',
  );
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, Buffer.alloc(10, 7), Buffer.alloc(14)]);
})();

function checkpoint(): Reader {
  manualSeed(3);
  const model = new Sequential(new Linear(3, 2), new BatchNorm1d(2));
  const optimizer = new Adam(model.parameters(), { lr: 0.1 });
  const data = dataset(
    Array.from({ length: 12 }, (_, i) => [i, i % 5, 1]),
    Array.from({ length: 12 }, (_, i) => i % 2),
  );
  const loss = () => crossEntropyLoss(model.forward(data.batch([0, 1, 2]).x), [0, 1, 0]);
  scope(() => loss().backward());
  optimizer.step();
  const training = fit(() => loss(), data, { epochs: 3, batchSize: 4, seed: 5 });
  const scaler = new Standardise().fit(data);
  const parts = { model, optimizer, training, scaler };
  const good = saveCheckpoint({ ...parts, step: 3, best: Infinity, list: [{ deep: [-0, "text", null] }] });
  const state = () => Buffer.from(saveCheckpoint(parts));
  const before = state();
  const read = (bytes: Uint8Array) => {
    try {
      scope(() => void loadCheckpoint(bytes, parts));
    } catch (error) {
      hold(state().equals(before), "a checkpoint that is refused changes nothing");
      throw error;
    }
    scope(() => void loadCheckpoint(good, parts));
    hold(state().equals(before), "the good checkpoint is the state");
  };
  return { name: "loadCheckpoint", files: [good], changes: headerChanges, read, throws: NablasError };
}

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

function npy(): Reader {
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

function npz(): Reader {
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

const idxFiles = [idx([2, 2, 2], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255)), idx([3], Uint8Array.of(9, 0, 3))];
const idxChanges = [sizeChange, sizeChange, inGzip(sizeChange)];

function idxReader(): Reader {
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

function onnx(name: string, model: Sequential, input: (number | null)[]): Reader {
  manualSeed(1);
  const read = (bytes: Uint8Array) => {
    const before = memory().bytes;
    scope(() => {
      const read = fromOnnx(bytes);
      hold(
        memory().bytes - before <= 4 * bytes.length + 64,
        "at most four bytes of memory for each of the file",
      );
      const x = input.map((size) => size ?? 3);
      try {
        read.forward(...read.inputs.map(({ dtype }) => zeros(x, { dtype })));
      } catch (error) {
        // The weights need not fit each other, nor this input.
        if (!(error instanceof NablasError)) throw error;
      }
    });
  };
  return {
    ...{ name: `fromOnnx, ${name}`, files: [toOnnx(model, { input })], changes: protobufChanges, read },
    throws: FormatError,
  };
}

function tfjs(): Reader {
  const names = ["several layers", "functional", "as uint8", "embedding"];
  const read = async (bytes: Uint8Array) => {
    // Those of the model that it was once: the paths are theirs.
    const text = new TextDecoder().decode(bytes);
    const shards = named(names.find((_, i) => text.includes(`fuzz${i}`)) ?? names[0]!).shards;
    (await fromTfjs(bytes, shards)).dispose();
  };
  const files = names.map((name, i) =>
    new TextEncoder().encode(JSON.stringify({ ...named(name).model, generatedBy: `fuzz${i}` })),
  );
  return { name: "fromTfjs", files, changes: jsonChanges, read, throws: FormatError };
}

function tfjsShards(): Reader {
  const { model, shards } = tfjsCases.find(({ name }) => name === "several layers")!;
  const read = async (bytes: Uint8Array) => (await fromTfjs(structuredClone(model), bytes)).dispose();
  return {
    name: "fromTfjs, shards",
    files: shards.map(bytesOf),
    changes: [(b) => b],
    read,
    throws: FormatError,
  };
}

const CELLS = [
  ...[
    "",
    " ",
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "0x10",
    "1_000",
    "٣",
    "17",
    "-1",
    "9.5",
    '"1"',
    '"',
    "'",
    "\0",
  ],
  ...["=1+1", "1;2", "\ufeff1", "\t3 ", "1,2", "\n", "\r", "\r\n\r\n", "9".repeat(2000), "constructor"],
];
const csvChanges: readonly Change[] = [
  inText((text, draw) => replaced(text, /[^,\n\r]+/g, draw.of(CELLS), draw)),
  inText((text, draw) => replaced(text, /[,\n]/g, draw.of([",", "\n", "", ",,", "\r", "\r\n", ";"]), draw)),
  inText((text, draw) =>
    replaced(text, /[^\n]*\n/g, draw.of(text.match(/[^\n]*\n/g) ?? [""]).repeat(2), draw),
  ),
  inText((text, draw: Draw) => draw.of(["\ufeff", "\ufeff\ufeff", "\n\n", "5,64\n", "2,3,a,b\n"]) + text),
  (bytes) => gzipSync(bytes),
];

const tables = [csv(3), Buffer.from("4,2,red,green\n1,2,0\n3,4,1\n5,6e1,1\n-7,.8,0\n")];

/** The folder of the files that are read by their names. */
const folder = mkdtempSync(join(tmpdir(), "nablas-fuzz-"));
export const removeFolder = () => rmSync(folder, { recursive: true });

function csvReader(): Reader {
  const path = join(folder, "data.csv");
  const read = (bytes: Uint8Array) => {
    writeFileSync(path, bytes);
    const rows = readRows(path);
    const { labels, ...rest } = isTable(rows) ? toTable(path, rows) : toDigits(path, rows);
    const [values, width] = "values" in rest ? [rest.values, rest.features] : [rest.pixels, 64];
    hold(values.length === labels.length * width, "a row for each label");
    hold(
      values.every((value) => !Number.isNaN(value)),
      "numbers",
    );
    hold(labels.length > 1, "two rows");
  };
  return { name: "CSV of the example", files: tables, changes: csvChanges, read, throws: InputError };
}

function playgroundFiles(): Reader {
  const read = async (bytes: Uint8Array) => {
    const contents = await readDigitFile(new File([Uint8Array.from(bytes)], "digits"));
    if (contents.kind !== "csv") return;
    const { pixels, labels, side, ink } = contents.data;
    hold(pixels.length === labels.length * side * side, "an image for each label");
    hold(
      pixels.every((pixel) => pixel >= 0 && pixel <= ink),
      "pixels within the ink",
    );
  };
  const images = idx([2, 4, 4], new Uint8Array(32).fill(9));
  return {
    ...{ name: "files of the playground", files: [csv(3), images, idxFiles[1]!, half], read },
    changes: [...csvChanges, ...idxChanges, ...headerChanges],
    throws: Refusal,
  };
}

export const readers: readonly Reader[] = [
  safetensors(),
  checkpoint(),
  npy(),
  npz(),
  idxReader(),
  onnx("layers", new Sequential(new Linear(2, 3), new LayerNorm(3), new GELU(), new ReLU()), [null, 2]),
  onnx("constants", new Sequential(new Linear(2, 2), new Softplus({ beta: 2, threshold: 1 })), [null, 1, 2]),
  tfjs(),
  tfjsShards(),
  csvReader(),
  playgroundFiles(),
];
