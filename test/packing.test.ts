// From the compiler's binary to the two that run: written out, packed, unpacked, fused.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { compress } from "lzma";
import { expect, test } from "vitest";
import { unpacker } from "../build/binary";
import { unfuse } from "../scripts/wasm/unfuse";
import { fuse } from "../src/binary/fuse";
import { binary } from "../src/binary/inline";

const file = (name: string) =>
  Uint8Array.from(readFileSync(new URL(`../build/${name}.wasm`, import.meta.url)));

test.each(["baseline", "relaxed"] as const)("the package unpacks the bytes of %s.wasm", (simd) => {
  const bytes = binary(simd);
  const whole = file(simd);
  expect(Buffer.compare(bytes, whole.subarray(0, bytes.length))).toBe(0);
  const label = new TextDecoder().decode(whole.subarray(bytes.length));
  expect(label).toMatch(new RegExp(`nablas\\d+\\.\\d+\\.\\d+ ${simd}$`));
});

/** What the decoder of the package makes of a stream. */
function unpack(stream: Uint8Array, size: number): Uint8Array {
  const decoder = new WebAssembly.Module(Uint8Array.from(Buffer.from(unpacker, "base64")));
  const { memory, input, unpack } = new WebAssembly.Instance(decoder).exports as unknown as {
    memory: WebAssembly.Memory;
    input: WebAssembly.Global<"i32">;
    unpack(output: number, size: number): void;
  };
  const output = input.value + stream.length;
  new Uint8Array(memory.buffer, input.value).set(stream);
  unpack(output, size);
  return new Uint8Array(memory.buffer, output, size);
}

test("the decoder gives back what was packed: noise, repetitions near and far, and both", () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const times = fc.integer({ min: 1, max: 40 });
  const parts = fc.array(fc.tuple(piece, times), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(parts, fc.boolean(), (pieces, again) => {
      const once = pieces.flatMap(([bytes, count]) =>
        Array<number[]>(count)
          .fill([...bytes])
          .flat(),
      );
      const bytes = Uint8Array.from(again ? [...once, ...once] : once);
      const stream = Uint8Array.from(compress(bytes, 9)).subarray(13);
      expect(Buffer.compare(unpack(stream, bytes.length), bytes)).toBe(0);
    }),
    { numRuns: 60, seed: 1 },
  );
});

// (module (func (export "madd") (param f32 f32 f32) (local i32) (result f32)
//   i32.const 7  local.set 3
//   splat of each parameter  f32x4.relaxed_madd  f32x4.extract_lane 0))
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const MADD = [
  ...HEADER,
  ...[1, 8, 1, 0x60, 3, 0x7d, 0x7d, 0x7d, 1, 0x7d, 3, 2, 1, 0, 7, 8, 1, 4, 0x6d, 0x61, 0x64, 0x64, 0, 0],
  ...[10, 29, 1, 27, 1, 1, 0x7f, 0x41, 7, 0x21, 3],
  ...[0x20, 0, 0xfd, 0x13, 0x20, 1, 0xfd, 0x13, 0x20, 2, 0xfd, 0x13, 0xfd, 0x85, 2, 0xfd, 0x1f, 0, 0x0b],
];

test("a multiply-add that is written out rounds twice, and is found again", () => {
  const { bytes, count } = unfuse(Uint8Array.from(MADD));
  expect(count).toBe(1);
  const { madd } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports as {
    madd: (a: number, b: number, c: number) => number;
  };
  const x = 1 + 2 ** -12;
  expect(madd(3, 5, 7)).toBe(22);
  expect(madd(x, x, -Math.fround(x * x))).toBe(0);
  const fused = bytes.slice();
  expect(fuse(fused)).toBe(1);
  expect(fuse(fused)).toBe(0);
  expect(fused.length).toBe(bytes.length);
  expect([...fused].join()).toContain([0xfd, 0x85, 2, 1, 1, 1, 1, 1, 1, 1].join());
});

test("other relaxed instructions are refused", () => {
  const other = MADD.with(MADD.indexOf(0x85), 0x86);
  expect(() => unfuse(Uint8Array.from(other))).toThrow("cannot unfuse 0x106");
});
