import { describe, expect, test } from "vitest";
import {
  customLoss,
  exp,
  GradientError,
  gradcheck,
  mean,
  mul,
  prelu,
  scope,
  sigmoid,
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

describe("gradients of broadcast operands", () => {
  const patterns: [a: number[], b: number[]][] = [
    [[3], []],
    [[], [3]],
    [[2, 3], [3]],
    [[2, 3], [1]],
    [
      [2, 1],
      [1, 3],
    ],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [
      [2, 1, 4],
      [3, 1],
    ],
    [
      [1, 1, 4],
      [2, 3, 1],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 5],
    ],
    [
      [2, 1, 4, 1],
      [3, 1, 5],
    ],
    [[1], [1, 1, 1]],
    [
      [2, 3, 1],
      [2, 1, 1, 5],
    ],
  ];
  const size = (shape: number[]) => shape.reduce((p, n) => p * n, 1);
  test.each(patterns)("%j and %j have the shapes of the operands and count the copies", (a, b) => {
    const [flat, y] = [leaf(new Float32Array(size(a)).fill(2)), leaf(new Float32Array(size(b)).fill(3))];
    const x = flat.reshape(a);
    scope(() => {
      const z = mul(x, y.reshape(b));
      sum(z).backward();
      expect(new Set(flat.grad!.data)).toEqual(new Set([(3 * z.size) / size(a)]));
      expect(new Set(y.grad!.data)).toEqual(new Set([(2 * z.size) / size(b)]));
    });
    x.dispose();
  });
});

describe("gradcheck", () => {
  test("passes for right derivatives and leaves gradients alone", () => {
    const [x, slope] = [
      leaf([
        [1, -2],
        [0.5, 3],
      ]),
      leaf([0.2, 0.3]),
    ];
    expect(gradcheck((a, b) => sigmoid(prelu(a, b)), [x, slope])).toBe(true);
    expect(gradcheck((a) => mean(mul(a, a)), [x])).toBe(true);
    expect([x.grad, slope.grad]).toEqual([null, null]);
    expect(x.toArray()).toEqual([
      [1, -2],
      [0.5, 3],
    ]);
  });

  test("loses no memory", () => {
    const x = leaf([1, 2, 3]);
    gradcheck(tanh, [x]);
    const before = held();
    for (let i = 0; i < 5; i++) gradcheck(tanh, [x]);
    expect(held()).toEqual(before);
  });

  test("throws for a wrong derivative, and says where", () => {
    const wrong = customLoss({
      forward: (p, t) => mul(sub(p, t), sub(p, t)),
      backward: (p, t) => sub(p, t),
    });
    const [x, t] = [leaf([1, 2]), tensor([0, 0])];
    const check = () => gradcheck((p, q) => wrong(p, q), [x, t]);
    expect(check).toThrow(GradientError);
    expect(check).toThrow(/gradcheck: input 0 \[2\], element 0: backward gives .*, differences/);
    t.dispose();
  });

  test("takes options and knows them", () => {
    const x = leaf([1]);
    expect(gradcheck(exp, [x], { eps: 0.001, rtol: 0.1, atol: 0.1 })).toBe(true);
    expect(() => gradcheck(exp, [x], { step: 1 } as object)).toThrow(
      /unknown option "step".*eps, rtol, atol/,
    );
  });
});
