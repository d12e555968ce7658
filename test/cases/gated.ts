import { erfc } from "../erf";
import { activation, logistic, type Rows, softplus } from "./row";

export const rows: Rows = {
  gelu: activation<{ approximate?: "none" | "tanh" }>({
    reference: (x, { approximate = "none" }) =>
      approximate === "none"
        ? (x / 2) * erfc(-x / Math.SQRT2)
        : x * logistic(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)),
    options: [{ approximate: "tanh" }],
    domain: [-13, 9],
    ulp: 4,
    limits: { "-Infinity": -0 },
  }),
  silu: activation({
    reference: (x) => x * logistic(x),
    domain: [-90, 30],
    ulp: 4,
    limits: { "-Infinity": -0 },
  }),
  mish: activation({
    reference: (x) => x * Math.tanh(softplus(x)),
    domain: [-90, 30],
    ulp: 4,
    limits: { "-Infinity": -0 },
  }),
  hardswish: activation({
    reference: (x) => x * (Math.min(Math.max(x + 3, 0), 6) / 6),
    domain: [-5, 5],
    ulp: 2,
    kinks: [-3, 3],
    limits: { "-Infinity": -0 },
  }),
};
