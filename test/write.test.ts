// Writing into a tensor, and callbacks of a backward pass that write, free or go back.
import { describe, expect, test } from "vitest";
import * as n from "../src/index";
import { compile, SGD, scope, type Tensor, tensor } from "../src/index";

const inScope = (fn: () => void) => () => scope(fn);
const REFUSED = /has been overwritten since the forward pass/;

describe("write", () => {
  test(
    "copies arrays and tensors, and returns the tensor",
    inScope(() => {
      const x = tensor([
        [1, 2],
        [3, 4],
      ]);
      expect(
        x.write([
          [5, 6],
          [7, 8],
        ]),
      ).toBe(x);
      expect(x.write(Float32Array.of(9, 8, 7, 6)).toArray()).toEqual([
        [9, 8],
        [7, 6],
      ]);
      expect(
        x
          .write(
            tensor([
              [1, 1],
              [2, 2],
            ]),
          )
          .toArray(),
      ).toEqual([
        [1, 1],
        [2, 2],
      ]);
      const i = tensor([1, 2], { dtype: "i32" });
      expect(i.write([3, 4]).toArray()).toEqual([3, 4]);
    }),
  );

  test(
    "refuses other shapes and numbers, before it changes anything",
    inScope(() => {
      const [x, i] = [
        tensor([
          [1, 2],
          [3, 4],
        ]),
        tensor([1, 2], { dtype: "i32" }),
      ];
      expect(() => x.write([1, 2, 3, 4])).toThrow(/write: values: expected \[2, 2\], got \[4\]/);
      expect(() => x.write(Float32Array.of(1))).toThrow(/write: values: expected \[2, 2\], got \[1\]/);
      expect(() =>
        x.write([
          [1, 2],
          [3, Number("x")],
        ]),
      ).not.toThrow();
      expect(() => i.write([1, 0.5])).toThrow(/expected 32-bit integers, got 0.5/);
      expect(i.toArray()).toEqual([1, 2]);
      x.dispose();
      expect(() =>
        x.write([
          [1, 2],
          [3, 4],
        ]),
      ).toThrow(n.DisposedError);
      const step = compile(() => i.write([3, 4]));
      expect(() => step()).toThrow(/compile: the function sets the values of a tensor by write\(\)/);
    }),
  );
});

describe("a callback of a backward pass", () => {
  const custom = (backward: (p: Tensor, t: Tensor) => Tensor) =>
    n.customLoss({ forward: (p, t) => p.sub(t).square(), backward });
  const slope = (p: Tensor, t: Tensor) => p.sub(t).mul(2);

  test.each<[string, (w: Tensor) => void, RegExp]>([
    ["disposes of what the rest needs", (w) => w.dispose(), /was disposed/],
    [
      "writes into what the rest needs",
      (w) =>
        void w.write([
          [1, 0],
          [0, 1],
        ]),
      REFUSED,
    ],
    [
      "makes a step",
      (w) => {
        w.grad = n.ones([2, 2]);
        new SGD([w], { lr: 1 }).step();
      },
      REFUSED,
    ],
  ])("that %s is refused", (_, harm, message) =>
    scope(() => {
      const [w, x] = [n.full([2, 2], 2, { requiresGrad: true }), n.full([1, 2], 1, { requiresGrad: true })];
      const loss = custom((p, t) => {
        harm(w);
        return slope(p, t);
      });
      const y = loss(x.matmul(w), n.zeros([1, 2]));
      expect(() => y.backward()).toThrow(message);
      expect(x.grad).toBeNull();
    }),
  );

  test(
    "that goes back through the same graph is refused, and through another one is not",
    inScope(() => {
      const a = n.full([3], 2, { requiresGrad: true });
      const b = n.full([3], 2, { requiresGrad: true });
      let inner: () => void = () => {};
      const again = custom((p, t) => {
        inner();
        return slope(p, t);
      });
      const y = again(a.mul(1), n.zeros([3]), { reduction: "sum" });
      inner = () => y.backward({ retainGraph: true });
      expect(() => y.backward({ retainGraph: true })).toThrow(
        /called by a callback of a backward\(\) through the same graph/,
      );
      inner = () => b.square().sum().backward();
      // Without noGrad the op of the callback would be recorded; the graph of b is made before.
      const other = b.square().sum();
      inner = () => other.backward();
      y.backward();
      expect(a.grad!.toArray()).toEqual([4, 4, 4]);
      expect(b.grad!.toArray()).toEqual([4, 4, 4]);
    }),
  );
});
