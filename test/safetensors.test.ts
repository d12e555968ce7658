import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  FormatError,
  Linear,
  loadSafetensors,
  manualSeed,
  memory,
  OptionError,
  PReLU,
  Sequential,
  saveSafetensors,
  tensor,
  zeros,
} from "../src/index";

const bitsOf = (values: Float32Array | Int32Array) =>
  Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length));

/** A file by the words of the format's description: length, JSON, values. */
function file(header: object | string, values: ArrayLike<number> = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return Uint8Array.from([...length, ...json, ...Array.from(values)]);
}

const bytesOf = (array: Float32Array | Int32Array | Uint16Array | BigInt64Array) =>
  new Uint8Array(array.buffer);

describe("safetensors", () => {
  test("keep every bit, with names, shapes and metadata", () => {
    const odd = Float32Array.of(0, -0, 1e-45, -3.4e38, Infinity, -Infinity, Number.NaN, 0.1);
    const f = tensor(odd, { shape: [2, 2, 2] });
    const i = tensor(Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0));
    const none = zeros([0, 3]);
    const bytes = saveSafetensors({ "layer.0.weight": f, ünï: i, none }, { format: "pt" });
    const { tensors, metadata, converted } = loadSafetensors(bytes);
    expect(Object.keys(tensors)).toEqual(["layer.0.weight", "ünï", "none"]);
    expect(tensors["layer.0.weight"]!.shape).toEqual([2, 2, 2]);
    expect(bitsOf(tensors["layer.0.weight"]!.data)).toEqual(bitsOf(odd));
    expect(tensors.ünï!.dtype).toBe("i32");
    expect([...tensors.ünï!.data]).toEqual([...i.data]);
    expect(tensors.none!.shape).toEqual([0, 3]);
    expect([metadata, converted]).toEqual([{ format: "pt" }, {}]);
  });

  test("hold a model under PyTorch's names", () => {
    manualSeed(1);
    const make = () => new Sequential(new Linear(3, 4), new BatchNorm1d(4), new PReLU(), new Linear(4, 2));
    const [from, to] = [make(), make()];
    const { tensors } = loadSafetensors(saveSafetensors(from.stateDict()));
    expect(Object.keys(tensors)).toContain("1.num_batches_tracked");
    to.loadStateDict(tensors);
    const x = tensor([[1, 2, 3]]);
    expect(to.eval().forward(x).toArray()).toEqual(from.eval().forward(x).toArray());
  });

  test("f16, bf16 and i64 are converted, and it says so", () => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const longs = BigInt64Array.of(-5n, 2n ** 31n - 1n, -(2n ** 31n));
    const header = {
      half: { dtype: "F16", shape: [256, 256], data_offsets: [0, 131_072] },
      brain: { dtype: "BF16", shape: [65_536], data_offsets: [131_072, 262_144] },
      long: { dtype: "I64", shape: [3], data_offsets: [262_144, 262_168] },
    };
    const values = [...bytesOf(halves), ...bytesOf(halves), ...bytesOf(longs)];
    const { tensors, converted } = loadSafetensors(file(header, values));
    expect(converted).toEqual({ half: "f16", brain: "bf16", long: "i64" });
    expect([...tensors.long!.data]).toEqual([-5, 2 ** 31 - 1, -(2 ** 31)]);
    const brain = tensors.brain!.data;
    const half = tensors.half!.data;
    const word = new DataView(new ArrayBuffer(4));
    for (let i = 0; i < 65_536; i++) {
      word.setUint32(0, i << 16);
      if (!Object.is(brain[i], word.getFloat32(0)) && !Number.isNaN(brain[i]))
        throw new Error(`bf16 ${i}: ${brain[i]}`);
      if (!Object.is(half[i], float16(i))) throw new Error(`f16 ${i}: ${half[i]}`);
    }
  });

  test("refuses an integer beyond 32 bits, and leaves nothing behind", () => {
    const before = memory().tensors;
    const header = {
      fine: { dtype: "I64", shape: [1], data_offsets: [0, 8] },
      long: { dtype: "I64", shape: [1], data_offsets: [8, 16] },
    };
    const bytes = file(header, bytesOf(BigInt64Array.of(1n, 2n ** 31n)));
    expect(() => loadSafetensors(bytes)).toThrow(
      new FormatError('loadSafetensors: "long": integers become 32-bit ones, which have no 2147483648'),
    );
    expect(memory().tensors).toBe(before);
  });

  const one = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  test.each([
    ["nothing", new Uint8Array(), "a file has at least 8 bytes, got 0"],
    [
      "a header beyond the file",
      file({}).fill(9, 0, 1),
      "the header's length is 9, but there is room for 2 bytes",
    ],
    ["a header of 2^63 bytes", file({}).fill(128, 7, 8), "the header's length is 9223372036854775810"],
    ["no JSON", file("{"), "the header cannot be read"],
    ["a list", file([]), "the header has to be an object"],
    [
      "a key twice",
      file(`{"a":${JSON.stringify(one)},"a":${JSON.stringify(one)}}`, [0, 0, 0, 0]),
      "a key twice",
    ],
    ["no shape", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, [0, 0, 0, 0]), '"a" needs dtype, shape'],
    [
      "another dtype",
      file({ a: { ...one, dtype: "F8_E4M3" } }, [0, 0, 0, 0]),
      "dtype is one of F32, F16, BF16",
    ],
    [
      "a shape that lies",
      file({ a: { ...one, shape: [2] } }, [0, 0, 0, 0]),
      "[2] of F32 takes 8 bytes, got 4",
    ],
    [
      "a shape of 2^60",
      file({ a: { ...one, shape: [2 ** 30, 2 ** 30] } }, [0, 0, 0, 0]),
      "takes 46116860184",
    ],
    [
      "offsets beyond",
      file({ a: { ...one, data_offsets: [4, 8] } }, [0, 0, 0, 0]),
      "are not within the 4 bytes",
    ],
    ["offsets that run back", file({ a: { ...one, data_offsets: [4, 0] } }, [0, 0, 0, 0]), "are not within"],
    ["overlap", file({ a: one, b: one }, [0, 0, 0, 0]), "overlap or leave a gap at offset 0"],
    ["a gap", file({ a: { ...one, data_offsets: [4, 8] } }, new Array(8).fill(0)), "a gap at offset 4"],
    [
      "more than there is",
      file({ a: one }, new Array(5).fill(0)),
      "the tensors have 4 bytes, the file has 5",
    ],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }), "__metadata__ has to be an object of strings"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => loadSafetensors(bytes)).toThrow(FormatError);
    expect(() => loadSafetensors(bytes)).toThrow(message);
  });

  test("metadata may be long, and full of quotes, colons and backslashes", () => {
    const long = 'a": "b\\\\", '.repeat(1_000_000);
    expect(loadSafetensors(saveSafetensors({}, { long })).metadata.long === long).toBe(true);
  });

  test("refuses to save what is no tensor, no text, or the format's own", () => {
    expect(() => saveSafetensors({ a: 1 as never })).toThrow(OptionError);
    expect(() => saveSafetensors({ a: 1 as never })).toThrow(
      'saveSafetensors: "a": expected a tensor, got 1',
    );
    expect(() => saveSafetensors({ __metadata__: zeros([1]) })).toThrow("belongs to the format");
    expect(() => saveSafetensors({}, { a: 1 as never })).toThrow('metadata "a": expected a string, got 1');
    const gone = zeros([1]);
    gone.dispose();
    expect(() => saveSafetensors({ gone })).toThrow('saveSafetensors: "gone"');
    expect(() => loadSafetensors("text" as never)).toThrow("expected a Uint8Array, got");
  });
});

/** By way of the bits of a float32, other than src/io/numbers.ts: the exponent rebiased, subnormals by what they count. */
function float16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  const [sign, exponent, mantissa] = [bits & 0x8000, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31 && mantissa !== 0) return Number.NaN;
  if (exponent === 0) return (sign ? -1 : 1) * mantissa * 2 ** -24;
  view.setUint32(0, (sign << 16) | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13));
  return view.getFloat32(0);
}
