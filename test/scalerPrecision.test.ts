// Scalers against float64: columns that float32 cannot tell apart, the limits of both, and states that keep every digit.
import { describe, expect, test } from "vitest";
import {
  compile,
  dataset,
  loadCheckpoint,
  Normalise,
  Standardise,
  saveCheckpoint,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../src/index";

/** Standardised and brought to [0, 1] in float64. */
function expected(values: readonly number[]) {
  const center = values.reduce((sum, v) => sum + v / values.length, 0);
  const far = values.map((v) => v - center);
  const deviation = Math.sqrt(far.reduce((sum, d) => sum + d * d, 0) / far.length);
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  return { standard: far.map((d) => d / deviation), normal: values.map((v) => (v - low) / range) };
}

function close(values: readonly number[], right: readonly number[]): void {
  expect(values).toHaveLength(right.length);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(right[i]!, 6);
}

describe("float64 up to the last rounding", () => {
  const columns: [string, number[]][] = [
    ["milliseconds, a second apart", [1.7e12, 1.7e12 + 1000, 1.7e12 + 2000, 1.7e12 + 2500]],
    ["Unix seconds, a minute apart", [1.7e9, 1.7e9 + 60, 1.7e9 + 120]],
    ["latitudes, a metre apart", [52.520008, 52.520018, 52.520028]],
    ["money, a cent apart", [123456.01, 123456.02, 123456.04]],
    ["integers beyond 2^24", [2 ** 40, 2 ** 40 + 1, 2 ** 40 + 2]],
    ["both ends of float32", [-3e38, 0, 3e38]],
    ["subnormal float32", [1e-45, 3e-45, 8e-45]],
  ];
  const scalers = [Standardise, Normalise] as const;

  test.each(columns)("%s", (_, values) =>
    scope(() => {
      const { standard, normal } = expected(values);
      for (const [Kind, right] of [
        [Standardise, standard],
        [Normalise, normal],
      ] as const) {
        const rows = values.map((v) => [v, 1]);
        const flat = { data: Float64Array.from(rows.flat()), shape: [rows.length, 2] };
        const more = dataset([[0, 0], ...rows], [0, ...values.map(() => 1)]);
        const [, part] = more.split([1, rows.length], { shuffle: false });
        for (const given of [rows, flat, rows.map((row) => Float64Array.from(row))]) {
          using scaler = new Kind().fit(given);
          const sets = [dataset(given, values), part!];
          const results = [
            scaler.apply(given),
            ...sets.map((set) => scaler.apply(set).batch().x),
            ...sets.map((set) => set.map((x) => scaler.apply(x)).batch().x),
          ];
          for (const result of results) {
            const [first, second] = [0, 1].map((c) => (result.toArray() as number[][]).map((row) => row[c]!));
            expect(second).toEqual(values.map(() => 0));
            close(first!, right);
          }
        }
      }
    }),
  );

  test("numbers whose squares, or whose range, float64 does not hold", () =>
    scope(() => {
      for (const size of [1.7e308, 1e200, 1e-200, 1e-310]) {
        const rows = [[-size], [0], [size]];
        const outer = Math.sqrt(1.5);
        close([...new Standardise().fit(rows).apply(rows).data], [-outer, 0, outer]);
        const fitted = new Normalise().fit(rows);
        const state = JSON.parse(JSON.stringify(fitted.stateDict()));
        expect(state.unit).toBeDefined();
        for (const scaler of [fitted, new Normalise().loadStateDict(state)]) {
          close([...scaler.apply(rows).data], [0, 0.5, 1]);
        }
        if (size > 1e300) expect(fitted.apply(tensor([[3], [-1e38]])).data[0]).toBe(0.5);
      }
    }));

  test("constants, and a single row", () =>
    scope(() => {
      for (const Kind of scalers) {
        for (const value of [0.1, 1.7e12 + 0.3, 1e300, 5e-324, 0]) {
          const rows = Array.from({ length: 7 }, () => [value]);
          expect([...new Kind().fit(rows).apply(rows).data]).toEqual(rows.map(() => 0));
        }
        expect([...new Kind().fit([[3, 1.7e12]]).apply([[4, 1.7e12 + 2]]).data]).toEqual([1, 2]);
      }
    }));

  test("float32 far from 0 with a small deviation: of tensors, eager, compiled and backward", () =>
    scope(() => {
      const x = tensor(
        Float32Array.from({ length: 4000 }, (_, i) => 1_000_000 + ((i * 7) % 5) / 16),
        {
          shape: [2000, 2],
          requiresGrad: true,
        },
      );
      using scaler = new Standardise().fit(x);
      const y = scaler.apply(x);
      const values = [...y.data];
      const mean = values.reduce((total, v) => total + v, 0) / y.size;
      expect(Math.abs(mean)).toBeLessThan(1e-7);
      const deviation = Math.sqrt(values.reduce((total, v) => total + v * v, 0) / y.size);
      expect(deviation).toBeCloseTo(1, 6);
      using compiled = compile((input: Tensor) => scaler.apply(input));
      for (const _ of [0, 1]) expect(compiled(x.detach()).data).toEqual(y.data);
      sum(y).backward();
      expect(x.grad!.data[1]).toBeCloseTo(16 / Math.SQRT2, 5);
      scaler.fit([[0, 1]]);
      expect(() => compiled(x.detach())).toThrow("compile again");
    }));

  test("integers: of arrays, tensors and datasets", () =>
    scope(() => {
      const ints = Int32Array.of(2 ** 30, 2 ** 30 + 1, 2 ** 30 + 2);
      const right = expected([...ints]).standard;
      using scaler = new Standardise().fit(ints);
      for (const result of [
        scaler.apply(ints),
        scaler.apply(tensor(ints)),
        scaler.apply(dataset(ints, [0, 1, 0])).batch().x,
      ]) {
        expect(result.dtype).toBe("f32");
        close([...result.data], right);
      }
    }));

  test("map gives the digits of each row on request", () =>
    scope(() => {
      const start = 1.7e12;
      const data = dataset(
        [
          [start, 1],
          [start + 1000, 2],
          [start + 3000, 3],
        ],
        [4, 5, 6],
      ).subset([2, 1]);
      const mapped = data.map(([time, price]) => [(time! - start) / 1000, price! / 2], { float64: true });
      const { x, y } = mapped.batch();
      expect([x.toArray(), y.toArray()]).toEqual([
        [
          [3, 1.5],
          [1, 1],
        ],
        [6, 5],
      ]);
      expect(() => data.map(() => [null] as never, { float64: true })).toThrow("got null at row 0, column 0");
    }));

  test("what map has changed is what a scaler gets", () =>
    scope(() => {
      using scaler = new Normalise().fit([0, 10]);
      const data = dataset([0.1, 10], [0, 1]).map((x) => {
        x.data[0] = 5;
        return scaler.apply(x);
      });
      expect(data.batch().x.toArray()).toEqual([0.5, 1]);
    }));
});

describe("states", () => {
  const rows = [
    [1.7e12, 0.1],
    [1.7e12 + 1000, 0.7],
  ];

  test("keep every digit through JSON and checkpoints", () =>
    scope(() => {
      using fitted = new Standardise().fit(rows);
      const state = fitted.stateDict();
      expect(state.shift).toEqual([1.7e12 + 500, 0.4]);
      using fromJson = new Standardise().loadStateDict(JSON.parse(JSON.stringify(state)));
      using fromCheckpoint = new Standardise();
      loadCheckpoint(saveCheckpoint({ scaler: fitted }), { scaler: fromCheckpoint });
      for (const scaler of [fromJson, fromCheckpoint]) {
        expect(scaler.stateDict()).toEqual(state);
        expect(scaler.apply(rows).data).toEqual(fitted.apply(rows).data);
      }
    }));

  test("of 0.1.0, which are tensors, load; bad ones change nothing", () =>
    scope(() => {
      using scaler = new Normalise().loadStateDict({ shift: tensor([1, 2]), scale: tensor([2, 4]) });
      expect(scaler.apply([3, 4]).toArray()).toEqual([1, 0.5]);
      expect(() => scaler.loadStateDict({ shift: [1, null] as never, scale: [1, 1] })).toThrow(
        "Normalise: shift: expected numbers, got null at element 1",
      );
      expect(() => scaler.loadStateDict({ shift: [1, 2], scale: [1, 1], unit: [1] })).toThrow(
        "Normalise: shift [2] and unit [1] differ in shape",
      );
      expect(scaler.apply([3, 4]).toArray()).toEqual([1, 0.5]);
    }));
});
