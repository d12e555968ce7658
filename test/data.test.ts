import { describe, expect, test } from "vitest";
import {
  type Dataset,
  DomainError,
  DTypeError,
  dataset,
  manualSeed,
  memory,
  OptionError,
  ShapeError,
  scope,
  type Tensor,
  tensor,
} from "../src/index";
import { held } from "./held";
import { all, ascending, firsts, numbered } from "./numbered";

describe("dataset", () => {
  const flat = Float32Array.of(1, 2, 3, 4, 5, 6);

  test.each<[string, Parameters<typeof dataset>[0], number[]]>([
    [
      "nested arrays",
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
    ],
    [
      "arrays of arrays of arrays",
      [
        [[1], [2]],
        [[3], [4]],
        [[5], [6]],
      ],
      [3, 2, 1],
    ],
    ["a typed array", Float64Array.of(1, 2, 3), [3]],
    ["flat values with a shape", { data: flat, shape: [3, 2] }, [3, 2]],
    ["a tensor", tensor(flat, { shape: [3, 2] }), [3, 2]],
  ])("takes %s", (_, x, shape) =>
    scope(() => {
      const data = dataset(x, [0, 1, 2]);
      const batch = data.batch();
      expect([data.size, data.inputShape, batch.x.shape]).toEqual([3, shape.slice(1), shape]);
      expect([...batch.x.data]).toEqual([...flat.slice(0, batch.x.size)]);
      expect(batch.x.dtype).toBe("f32");
    }),
  );

  test.each<[string, Parameters<typeof dataset>[1], "f32" | "i32"]>([
    ["whole numbers", [0, 1, 2], "i32"],
    ["fractions", [0, 1, 2.5], "f32"],
    ["rows of whole numbers", [[0], [1], [2]], "f32"],
    ["an Int32Array", Int32Array.of(0, 1, 2), "i32"],
    ["a Uint8Array", Uint8Array.of(0, 1, 2), "i32"],
    ["a Float32Array", Float32Array.of(0, 1, 2), "f32"],
    ["bytes with a shape", { data: Uint8Array.of(0, 1, 2), shape: [3] }, "i32"],
    ["an f32 tensor", tensor([0, 1, 2]), "f32"],
    ["an i32 tensor", tensor([0, 1, 2], { dtype: "i32" }), "i32"],
  ])("takes targets as %s", (_, y, dtype) =>
    scope(() => {
      const targets = dataset([[1], [2], [3]], y).batch().y;
      expect(targets.dtype).toBe(dtype);
      expect(Number(targets.data[1])).toBe(1);
    }),
  );

  test("keeps integer inputs for embeddings, and bytes as they are until a batch is made", () =>
    scope(() => {
      expect(dataset(Int32Array.of(7, 8), [0, 1]).batch().x.dtype).toBe("i32");
      const bytes = Uint8Array.of(1, 2);
      const data = dataset(bytes, [0, 1]);
      bytes[0] = 200;
      expect([...data.batch().x.data]).toEqual([200, 2]);
    }));

  test("copies tensors, which may go", () =>
    scope(() => {
      const x = tensor([[1], [2]]);
      const data = dataset(x, [0, 1]);
      x.dispose();
      expect(data.batch().x.toArray()).toEqual([[1], [2]]);
    }));

  test("holds no linear memory", () => {
    const before = held();
    const data = numbered(100);
    data.split(0.5);
    expect(held()).toEqual(before);
  });

  test.each<[string, () => unknown, new () => Error, string]>([
    [
      "other numbers of rows",
      () => dataset([[1], [2]], [0]),
      ShapeError,
      "dataset: 2 rows of inputs, but 1 of targets",
    ],
    ["no rows", () => dataset([], []), ShapeError, "dataset: expected at least one row"],
    ["a number", () => dataset(3, [0]), ShapeError, "expected rows of inputs [rows, …], got a single number"],
    ["ragged rows", () => dataset([[1], [2, 3]], [0, 1]), ShapeError, "ragged"],
    [
      "a shape that does not fit",
      () => dataset({ data: Float32Array.of(1, 2, 3), shape: [2, 2] }, [0, 1]),
      ShapeError,
      "dataset: 3 elements do not fill the shape [2, 2]",
    ],
    ["an object", () => dataset({} as never, [0]), DTypeError, "got an object"],
    ["big integers", () => dataset(BigInt64Array.of(1n) as never, [0]), DTypeError, "got a BigInt64Array"],
    [
      "a class beyond 32 bits",
      () => dataset([1], Uint32Array.of(2 ** 32 - 1)),
      DomainError,
      "i32 takes 32-bit integers",
    ],
  ])("refuses %s", (_, make, kind, message) => {
    const before = held();
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
    expect(held()).toEqual(before);
  });
});

describe("batches", () => {
  const data = numbered(10);

  test("go through the rows in order, the last batch with what is left", () => {
    expect(firsts(data, { batchSize: 4 })).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(firsts(data, { batchSize: 4, dropLast: true })).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(firsts(data)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  });

  test("keep each row with its target, whatever the width of rows", () => {
    for (const width of [1, 3, 15, 16, 17]) {
      const rows = Array.from({ length: 20 }, (_, i) => new Array<number>(width).fill(i));
      const wide = dataset(
        rows,
        rows.map((_, i) => i),
      );
      const seen: number[] = [];
      for (const { x, y } of wide.batches({ batchSize: 3, shuffle: true, seed: 1 })) {
        const labels = [...y.data];
        expect(x.toArray()).toEqual(labels.map((label) => new Array(width).fill(label)));
        seen.push(...labels);
      }
      expect(ascending(seen)).toEqual(rows.map((_, i) => i));
    }
  });

  test("are in the same order for the same seed, in another for another", () => {
    const order = (seed: number) => firsts(data, { shuffle: true, seed }).flat();
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
    expect(order(2 ** 32)).not.toEqual(order(0));
    expect(ascending(order(1))).toEqual(all(data));
  });

  test("without a seed follow manualSeed, and differ from one time to the next", () => {
    const twice = () => {
      manualSeed(3);
      return [firsts(data, { shuffle: true }), firsts(data, { shuffle: true })];
    };
    const [first, second] = twice();
    expect(first).not.toEqual(second);
    expect(twice()).toEqual([first, second]);
  });

  test("shuffle evenly: every row comes to every place equally often", () => {
    const small = numbered(4);
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 4800; seed++) {
      const order = firsts(small, { shuffle: true, seed }).flat().join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // χ² of 23 degrees of freedom exceeds 50 once in a thousand times.
    const chi = [...counts.values()].reduce((total, n) => total + (n - 200) ** 2 / 200, 0);
    expect(chi).toBeLessThan(50);
  });

  test("live until the next, and not after the loop, however it ends", () => {
    const before = held();
    let last: Tensor | undefined;
    for (const { x } of data.batches({ batchSize: 4 })) {
      expect(memory().tensors).toBe(before.tensors + 2);
      last = x;
    }
    expect(() => last!.data).toThrow("was disposed");
    for (const _ of data.batches({ batchSize: 4 })) break;
    expect(() => {
      for (const _ of data.batches()) throw new Error("stop");
    }).toThrow("stop");
    expect(held()).toEqual(before);
  });

  test.each<[string, Parameters<Dataset["batches"]>[0], string]>([
    ["a batch size of 0", { batchSize: 0 }, "batches: batchSize is an integer ≥ 1, got 0"],
    ["half rows", { batchSize: 1.5 }, "batches: batchSize is an integer ≥ 1, got 1.5"],
    ["nothing", { batchSize: 11, dropLast: true }, "dropLast leaves nothing of 10 rows at a batchSize of 11"],
    ["a seed below 0", { shuffle: true, seed: -1 }, "batches: seed is an integer from 0 to 2^53 − 1, got -1"],
    ["an unknown option", { size: 3 } as object, 'batches: unknown option "size"'],
  ])("refuse %s at once", (_, options, message) => {
    expect(() => data.batches(options)).toThrow(OptionError);
    expect(() => data.batches(options)).toThrow(message);
  });

  test("of given rows belong to the caller", () => {
    const before = held();
    scope(() => {
      const { x, y } = data.batch([9, 0, 9]);
      expect(x.toArray()).toEqual([
        [9, -9],
        [0, -0],
        [9, -9],
      ]);
      expect(y.toArray()).toEqual([0, 0, 0]);
    });
    expect(held()).toEqual(before);
    for (const row of [10, -1, 0.5, Number.NaN]) {
      expect(() => data.batch([0, row])).toThrow(new DomainError(`batch: expected rows 0 … 9, got ${row}`));
    }
  });
});
