import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { dataset, FormatError, readIdx, scope } from "../src/index";

describe("readIdx", () => {
  /** An IDX file: header, then the bytes of the values. */
  function idx(code: number, shape: number[], body: number[] | Uint8Array): Uint8Array {
    const sizes = shape.flatMap((n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
    return Uint8Array.from([0, 0, code, shape.length, ...sizes, ...body]);
  }

  const images = idx(8, [3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);

  test.each<[string, Uint8Array | ArrayBuffer]>([
    ["bytes", images],
    ["an ArrayBuffer", images.slice().buffer as ArrayBuffer],
    ["gzip", gzipSync(images)],
    ["a part of a larger buffer", Uint8Array.from([9, ...images, 9]).subarray(1, -1)],
  ])("reads %s", async (_, bytes) => {
    const { data, shape } = await readIdx(bytes);
    expect(shape).toEqual([3, 2, 2]);
    expect(data).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255));
  });

  test.each<[string, number, (view: DataView, value: number) => void, number, ArrayBufferView]>([
    ["int8", 9, (view, value) => view.setInt8(0, value), 1, Int8Array.of(-2)],
    ["int16", 11, (view, value) => view.setInt16(0, value), 2, Int16Array.of(-2)],
    ["int32", 12, (view, value) => view.setInt32(0, value), 4, Int32Array.of(-2)],
    ["float32", 13, (view, value) => view.setFloat32(0, value), 4, Float32Array.of(-2)],
    ["float64", 14, (view, value) => view.setFloat64(0, value), 8, Float64Array.of(-2)],
  ])("reads %s, big-endian", async (_, code, write, bytes, expected) => {
    const body = new Uint8Array(bytes);
    write(new DataView(body.buffer), -2);
    expect((await readIdx(idx(code, [1], body))).data).toEqual(expected);
  });

  test("makes a dataset of images and labels", async () => {
    const labels = await readIdx(gzipSync(idx(8, [3], [7, 0, 9])));
    const data = dataset(await readIdx(images), labels);
    scope(() => {
      const { x, y } = data.batch([2]);
      expect([x.toArray(), x.dtype, y.toArray(), y.dtype]).toEqual([
        [
          [
            [9, 10],
            [11, 255],
          ],
        ],
        "f32",
        [9],
        "i32",
      ]);
    });
  });

  test("reads no images", async () => {
    expect(await readIdx(idx(8, [0, 28, 28], []))).toEqual({ data: new Uint8Array(), shape: [0, 28, 28] });
  });

  const huge = 2 ** 32 - 1;
  test.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(), "expected a header of at least 4 bytes, got 0 in all"],
    ["text", new TextEncoder().encode("1,2,3,4\n"), "expected two zero bytes at offset 0, got 0x31 0x2c"],
    [
      "an unknown type",
      idx(10, [1], [1]),
      "expected a type at offset 2, one of 0x08 0x09 0x0b 0x0c 0x0d 0x0e, got 0x0a",
    ],
    ["no dimensions", idx(8, [], []), "expected at least one dimension at offset 3, got 0"],
    [
      "a header cut off",
      images.subarray(0, 15),
      "the sizes of 3 dimensions end at offset 16, but the file at offset 15",
    ],
    [
      "values cut off",
      images.subarray(0, -1),
      "the header promises [3, 2, 2] of 1-byte values, up to offset 28, but the file ends at offset 27",
    ],
    [
      "values too many",
      Uint8Array.from([...images, 0]),
      "the header promises [3, 2, 2] of 1-byte values, up to offset 28, but the file goes on to offset 29",
    ],
    [
      "sizes beyond all memory",
      idx(14, [huge, huge, huge], [1]),
      "the header promises [4294967295, 4294967295, 4294967295] of 8-byte values",
    ],
  ])("refuses %s", async (_, bytes, message) => {
    for (const given of [bytes, gzipSync(bytes)]) {
      const reading = readIdx(given);
      await expect(reading).rejects.toThrow(FormatError);
      await expect(reading).rejects.toThrow(`readIdx: ${message}`);
    }
  });

  test.each<[string, Uint8Array]>([
    ["cut off", gzipSync(images).subarray(0, 30)],
    ["a bare beginning", Uint8Array.of(0x1f, 0x8b)],
    ["changed", gzipSync(images).map((byte, i) => (i === 12 ? byte ^ 255 : byte))],
    [
      "with a wrong check sum",
      gzipSync(images).map((byte, i, all) => (i === all.length - 8 ? byte ^ 1 : byte)),
    ],
  ])("refuses gzip that is %s", async (_, bytes) => {
    const reading = readIdx(bytes);
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow("readIdx: the gzip data is damaged (");
  });

  test("says when the engine cannot decompress", async () => {
    const original = globalThis.DecompressionStream;
    Reflect.deleteProperty(globalThis, "DecompressionStream");
    try {
      await expect(readIdx(gzipSync(images))).rejects.toThrow("no DecompressionStream");
    } finally {
      globalThis.DecompressionStream = original;
    }
  });
});
