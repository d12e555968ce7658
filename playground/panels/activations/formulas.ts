// f and f′ of each activation, for Equation of ui/maths.tsx.
import type { Cases } from "../../ui/maths";
import type { Activation, Options } from "./kinds";

export interface Formula {
  readonly f: string | Cases;
  /** "" where there is none. */
  readonly slope: string | Cases;
  /** What the letters mean. */
  readonly where?: readonly (readonly [left: string, right: string])[];
}

function ofSides(right: string, left: string, slopes: readonly [string, string]): Formula {
  const sides = (above: string, below: string): Cases => [
    [above, "x > 0"],
    [below, "x ≤ 0"],
  ];
  return { f: sides(right, left), slope: sides(...slopes) };
}

const LOGITS = [["S", "e^{x} + e^{z₂} + e^{z₃}"]] as const;

const FORMULAS: Readonly<Record<Activation, Formula>> = {
  identity: { f: "x", slope: "1" },
  sigmoid: { f: "σ(x) = 1 / (1 + e^{−x})", slope: "σ(x) σ(−x) = σ(x) (1 − σ(x))" },
  tanh: { f: "tanh x = (e^{x} − e^{−x}) / (e^{x} + e^{−x})", slope: "1 − tanh^{2} x" },
  softsign: { f: "x / (1 + |x|)", slope: "1 / (1 + |x|)^{2}" },
  hardsigmoid: {
    f: "min(max((x + 3) / 6, 0), 1)",
    slope: [
      ["1/6", "|x| < 3"],
      ["0", "|x| ≥ 3"],
    ],
  },
  hardtanh: {
    f: "min(max(x, m), M)",
    slope: [
      ["1", "m < x < M"],
      ["0", "x ≤ m, x ≥ M"],
    ],
  },
  relu: {
    f: "max(x, 0)",
    slope: [
      ["1", "x > 0"],
      ["0", "x ≤ 0"],
    ],
  },
  leakyRelu: ofSides("x", "a x", ["1", "a"]),
  prelu: ofSides("x", "a x", ["1", "a"]),
  rrelu: ofSides("x", "a x", ["1", "a"]),
  relu6: {
    f: "min(max(x, 0), 6)",
    slope: [
      ["1", "0 < x < 6"],
      ["0", "x ≤ 0, x ≥ 6"],
    ],
  },
  elu: ofSides("x", "α (e^{x} − 1)", ["1", "α e^{x}"]),
  celu: ofSides("x", "α (e^{x/α} − 1)", ["1", "e^{x/α}"]),
  selu: {
    ...ofSides("λ x", "λ α (e^{x} − 1)", ["λ", "λ α e^{x}"]),
    where: [
      ["λ", "1.0507"],
      ["α", "1.6733"],
    ],
  },
  softplus: {
    f: [
      ["log(1 + e^{β x}) / β", "β x ≤ θ"],
      ["x", "β x > θ"],
    ],
    slope: [
      ["σ(β x)", "β x ≤ θ"],
      ["1", "β x > θ"],
    ],
  },
  silu: { f: "x σ(x)", slope: "σ(x) (1 + x σ(−x))" },
  gelu: {
    f: "x Φ(x)",
    slope: "Φ(x) + x φ(x)",
    where: [
      ["Φ(x)", "(1 + erf(x/√2)) / 2"],
      ["φ(x)", "e^{−x²/2} / √(2π)"],
    ],
  },
  mish: {
    f: "x tanh s",
    slope: "tanh s + x σ(x) (1 − tanh^{2} s)",
    where: [["s", "log(1 + e^{x})"]],
  },
  hardswish: {
    f: "x · min(max((x + 3) / 6, 0), 1)",
    slope: [
      ["0", "x ≤ −3"],
      ["(2x + 3) / 6", "−3 < x < 3"],
      ["1", "x ≥ 3"],
    ],
  },
  softmax: { f: "e^{x} / S", slope: "f (1 − f)", where: LOGITS },
  logSoftmax: { f: "x − log S", slope: "1 − e^{x} / S", where: LOGITS },
  hardmax: {
    f: [
      ["1", "x ≥ max(z₂, z₃)"],
      ["0", "x < max(z₂, z₃)"],
    ],
    slope: "",
  },
  maxout: {
    f: "max(z_{1}, …, z_{k})",
    slope: "w_{j}, j = argmax z_{i}",
    where: [["z_{i}", "w_{i} x + b_{i}"]],
  },
  logSigmoid: { f: "log σ(x) = −log(1 + e^{−x})", slope: "σ(−x)" },
};

const TANH_GELU: Formula = {
  f: "x (1 + t) / 2",
  slope: "(1 + t) / 2 + x (1 − t^{2}) c (1 + 0.134145 x^{2}) / 2",
  where: [
    ["t", "tanh(c (x + 0.044715 x^{3}))"],
    ["c", "√(2/π)"],
  ],
};

/** The formulas of an activation with these options. */
export function formulaOf(name: Activation, { approximate }: Options): Formula {
  return name === "gelu" && approximate === "tanh" ? TANH_GELU : FORMULAS[name];
}
