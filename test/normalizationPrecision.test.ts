import { describe, expect, test } from "vitest";
import { batchNorm, layerNorm, scope, type Tensor, tensor, variance } from "../src/index";
import * as ref from "./reference";

const nd = (t: Tensor) => ref.nd(t.shape, t.data);

/** Gives the gradient of Σ dy · y. */
function goBack(y: Tensor, dy: ArrayLike<number>): void {
  y.backward({ gradient: tensor(Float32Array.from(dy), { shape: y.shape }) });
}

describe("precision", () => {
  const far = [1e6 + 1, 1e6 + 2, 1e6 + 4, 1e6 + 8, 1e6 - 5, 1e6];

  test("a mean far from 0 costs no digits", () => {
    scope(() => {
      const x = tensor(far, { shape: [6, 1] });
      const options = { ulp: 0.51 };
      const y = batchNorm(x, { training: true });
      expect(ref.mismatch(y.data, ref.batchNorm(nd(x)).data, options)).toBeUndefined();
      const row = tensor([far]);
      const z = layerNorm(row, { normalizedShape: 6 });
      expect(ref.mismatch(z.data, ref.layerNorm(nd(row), [6]).data, options)).toBeUndefined();
      expect(ref.mismatch(variance(x).data, [ref.variance(far)], options)).toBeUndefined();
    });
  });

  // dx = rstd (dy − mean dy − x̂ mean(dy x̂)) for x = ±a: x̂² = a² / (a² + eps), so that all but eps cancels.
  test("the gradient of a batch of two is what eps leaves", () => {
    scope(() => {
      const [a, eps] = [2, Math.fround(1e-5)];
      const x = tensor([[a], [-a]], { requiresGrad: true });
      goBack(batchNorm(x, { training: true, eps }), [3, 1]);
      const rstd = 1 / Math.sqrt(a * a + eps);
      const expected = rstd * (1 - (a * rstd) ** 2);
      expect(ref.mismatch(x.grad!.data, [expected, -expected], { rtol: 1e-9, ulp: 1 })).toBeUndefined();
      const z = tensor([[a, -a]], { requiresGrad: true });
      goBack(layerNorm(z, { normalizedShape: 2, eps }), [3, 1]);
      expect(ref.mismatch(z.grad!.data, [expected, -expected], { rtol: 1e-9, ulp: 1 })).toBeUndefined();
    });
  });

  test("a constant channel becomes the bias without eps, too, and its gradient 0", () => {
    scope(() => {
      const x = tensor(
        [
          [2, 1],
          [2, 3],
        ],
        { requiresGrad: true },
      );
      const y = batchNorm(x, { training: true, eps: 0, weight: [3, 1], bias: [7, 0] });
      expect(y.toArray()).toEqual([
        [7, -1],
        [7, 1],
      ]);
      goBack(y, [1, 2, 3, 4]);
      expect(x.grad!.toArray()).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });
  });

  test("values at the ends of float32 stay finite", () => {
    scope(() => {
      const x = tensor([[3e38], [3e38], [-3e38]]);
      const expected = [Math.SQRT1_2, Math.SQRT1_2, -Math.SQRT2];
      expect(ref.mismatch(batchNorm(x, { training: true }).data, expected, { ulp: 1 })).toBeUndefined();
      const y = layerNorm(x.reshape([3]), { normalizedShape: 3 });
      expect(ref.mismatch(y.data, expected, { ulp: 1 })).toBeUndefined();
    });
  });

  test("many rows are summed in float64", () => {
    scope(() => {
      const n = 20_000;
      const x = tensor(Float32Array.from({ length: n }, (_, i) => 1000 + (i % 7)));
      const columns = batchNorm(x.reshape([n / 4, 4]), { training: true });
      const expected = ref.batchNorm(nd(x.reshape([n / 4, 4])));
      expect(ref.mismatch(columns.data, expected.data, { ulp: 0.51 })).toBeUndefined();
    });
  });
});
