import { describe, expect, test } from "vitest";
import {
  add,
  customLoss,
  DisposedError,
  div,
  exp,
  GraphError,
  mean,
  memory,
  mul,
  noGrad,
  relu,
  ShapeError,
  scope,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "../src/index";
import { held, leaveNothing } from "./held";

const own = leaveNothing();

/** A leaf that lives outside of the scopes of the tests, and is disposed of with its gradient. */
const leaf = (data: Parameters<typeof tensor>[0]): Tensor => own(tensor(data, { requiresGrad: true }));

/** Runs `fn` in a scope and gives back what it gives, which holds no tensors. */
const inScope = (fn: () => void) => () => scope(fn);

describe("graphs", () => {
  test(
    "a chain of 100,000 ops goes back without recursion",
    inScope(() => {
      const x = leaf([1]);
      let y: Tensor = x;
      for (let i = 0; i < 100_000; i++) y = add(y, x);
      y.backward();
      expect(x.grad!.item()).toBe(100_001);
    }),
  );

  test(
    "a diamond adds up both ways, once each",
    inScope(() => {
      const x = leaf([2]);
      const h = mul(x, 3);
      const y = add(mul(h, h), mul(h, 5));
      y.backward();
      expect(x.grad!.item()).toBe(3 * (2 * 6 + 5));
    }),
  );

  test(
    "a tower of diamonds visits each op once",
    inScope(() => {
      const x = leaf([1]);
      let y: Tensor = x;
      for (let i = 0; i < 100; i++) y = mul(add(y, y), 0.5);
      y.backward();
      expect(x.grad!.item()).toBe(1);
    }),
  );

  test(
    "an input used twice by one op gets both gradients",
    inScope(() => {
      const x = leaf([3, -2]);
      sum(mul(x, x)).backward();
      expect(x.grad!.toArray()).toEqual([6, -4]);
      x.zeroGrad();
      sum(div(x, x)).backward();
      expect(x.grad!.toArray()).toEqual([0, 0]);
      x.zeroGrad();
      sum(sub(x, x)).backward();
      expect(x.grad!.toArray()).toEqual([0, 0]);
    }),
  );

  test(
    "graphs that meet go back together",
    inScope(() => {
      const [x, y] = [leaf([2]), leaf([5])];
      mul(exp(mul(x, 0)), mul(y, x)).backward();
      expect([x.grad!.item(), y.grad!.item()]).toEqual([5, 2]);
    }),
  );

  test(
    "what does not lead to the root gets no gradient",
    inScope(() => {
      const [x, y] = [leaf([2]), leaf([5])];
      mul(x, y);
      mul(x, 3).backward();
      expect(x.grad!.item()).toBe(3);
      expect(y.grad).toBeNull();
    }),
  );
});

describe("backward", () => {
  test(
    "accumulates over passes until zeroGrad, which ends the gradient",
    inScope(() => {
      const x = leaf([1, 2]);
      for (let i = 1; i <= 3; i++) {
        sum(mul(x, 2)).backward();
        expect(x.grad!.toArray()).toEqual([2 * i, 2 * i]);
      }
      const { grad } = x;
      x.zeroGrad();
      expect(x.grad).toBeNull();
      expect(() => grad!.toArray()).toThrow(/was cleared by zeroGrad\(\) or replaced/);
      sum(mul(x, 3)).backward();
      expect(x.grad!.toArray()).toEqual([3, 3]);
    }),
  );

  test("refuses to read a gradient to which it adds in the same pass", () =>
    scope(() => {
      const x = tensor([1, 2], { requiresGrad: true });
      const w = tensor([3, 4], { requiresGrad: true });
      sum(x).backward();
      const wrong = sum(add(x, mul(w, x.grad!)));
      expect(() => wrong.backward()).toThrow(/backward of mul: one of its inputs is a gradient.*clone\(\)/);
      expect(x.grad!.toArray()).toEqual([1, 1]);
      const own = x.grad!.clone();
      sum(add(x, mul(w, own))).backward();
      expect(w.grad!.toArray()).toEqual([1, 1]);
      sum(mul(w, x.grad!)).backward();
      expect(w.grad!.toArray()).toEqual([3, 3]);
    }));

  test("of a leaf is the gradient given, or 1", () => {
    const x = leaf([4]);
    x.backward();
    expect(x.grad!.item()).toBe(1);
  });

  test(
    "starts from the gradient given",
    inScope(() => {
      const x = leaf([1, 2, 3]);
      mul(x, 2).backward({ gradient: tensor([1, 10, 100]) });
      expect(x.grad!.toArray()).toEqual([2, 20, 200]);
    }),
  );

  test(
    "keeps the root alive and releases what lies behind it",
    inScope(() => {
      const x = leaf([1, 2]);
      const h = tanh(x);
      const loss = sum(h);
      const view = h.detach();
      const before = memory().tensors;
      loss.backward();
      // h went, the gradient of x came.
      expect(memory().tensors).toBe(before);
      expect(loss.item()).toBeCloseTo(Math.tanh(1) + Math.tanh(2), 6);
      expect(() => h.data).toThrow(DisposedError);
      expect(() => relu(h)).toThrow(
        "relu: the output of tanh [2] was released by backward(); " +
          "call backward({ retainGraph: true }) to keep it",
      );
      expect(view.data[0]).toBeCloseTo(Math.tanh(1), 6);
    }),
  );

  test(
    "twice needs retainGraph",
    inScope(() => {
      const x = leaf([3]);
      const loss = sum(mul(x, x));
      loss.backward({ retainGraph: true });
      loss.backward();
      expect(x.grad!.item()).toBe(12);
      expect(() => loss.backward()).toThrow(GraphError);
      expect(() => loss.backward()).toThrow(/graph of sum was released .*\{ retainGraph: true \}/);
      expect(x.grad!.item()).toBe(12);
    }),
  );

  test(
    "through a part that another pass has released is an error",
    inScope(() => {
      const x = leaf([3]);
      const h = mul(x, x);
      const [a, b] = [sum(h), mean(h)];
      a.backward();
      expect(() => b.backward()).toThrow(GraphError);
      expect(x.grad!.item()).toBe(6);
    }),
  );

  test(
    "wants a scalar, or a gradient of the right shape",
    inScope(() => {
      const y = mul(leaf([1, 2]), 2);
      expect(() => y.backward()).toThrow(ShapeError);
      expect(() => y.backward()).toThrow(
        "backward: expected a scalar, got the output of mul [2]; " +
          "reduce it by sum() or mean(), or pass { gradient }",
      );
      expect(() => y.backward({ gradient: tensor([1]) })).toThrow(
        "backward: expected a gradient of shape [2], got [1]",
      );
    }),
  );

  test(
    "wants a history",
    inScope(() => {
      expect(() => tensor([1]).backward()).toThrow(GraphError);
      expect(() => mul(tensor([1]), 2).backward()).toThrow(/has no recorded history/);
    }),
  );

  test(
    "that fails half way loses no memory",
    inScope(() => {
      const x = leaf([1, 2]);
      const broken = customLoss({
        name: "broken",
        forward: (p, t) => sub(p, t),
        backward: () => {
          throw new RangeError("own error");
        },
      });
      const round = () =>
        scope(() => {
          const loss = broken(tanh(mul(x, 2)), tensor([0, 0]));
          expect(() => sum(mul(loss, 2)).backward()).toThrow(RangeError);
        });
      round();
      const before = held();
      for (let i = 0; i < 10; i++) round();
      expect(held()).toEqual(before);
      sum(x).backward();
      expect(x.grad!.toArray()).toEqual([1, 1]);
    }),
  );
});

describe("what is recorded", () => {
  test(
    "nothing without requiresGrad, under noGrad, or behind detach",
    inScope(() => {
      const x = leaf([1]);
      expect(mul(tensor([1]), 2).requiresGrad).toBe(false);
      expect(noGrad(() => mul(x, 2)).requiresGrad).toBe(false);
      const afterInner = noGrad(() => {
        noGrad(() => mul(x, 2));
        return mul(x, 2);
      });
      expect(afterInner.requiresGrad).toBe(false);
      expect(x.detach().requiresGrad).toBe(false);
      expect(mul(x, 2).requiresGrad).toBe(true);
      const y = mul(mul(x, 3).detach(), x);
      y.backward();
      expect(x.grad!.item()).toBe(3);
    }),
  );

  test(
    "again after noGrad has thrown",
    inScope(() => {
      const fail = () => {
        throw new RangeError("own error");
      };
      expect(() => noGrad(fail)).toThrow(RangeError);
      expect(() => noGrad(async () => 1)).toThrow(GraphError);
      expect(mul(leaf([1]), 2).requiresGrad).toBe(true);
    }),
  );

  test(
    "requiresGrad is for f32 leaves",
    inScope(() => {
      const y = mul(leaf([1]), 2);
      expect(() => {
        y.requiresGrad = false;
      }).toThrow("requiresGrad: the output of mul [1] is not a leaf; use detach() to cut it off its history");
      const x = leaf([1]);
      x.requiresGrad = false;
      expect(mul(x, 2).requiresGrad).toBe(false);
    }),
  );
});
