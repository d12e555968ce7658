// Elementwise operations in plain JavaScript, by the library's names and with its defaults.

/** y = f(x), or y = f(x, b) */
export type Loop = (x: Float32Array, y: Float32Array, b: Float32Array) => void;

/** To 1.5e-7: Abramowitz and Stegun 7.1.26. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - p * Math.exp(-x * x));
}

/**
 * Each has a loop of its own: one loop that all formulas shared would call them instead, which is several times slower. And
 * |x| instead of `x > 0 ? …`, `Math.max` and `Math.min`: on numbers of random sign V8's branches are mispredicted every
 * other time, which makes them three to four times as slow.
 */
export const unary = {
  identity(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = x[i]!;
  },
  neg(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = -x[i]!;
  },
  abs(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.abs(x[i]!);
  },
  square(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = v * v;
    }
  },
  sqrt(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.sqrt(x[i]!);
  },
  exp(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.exp(x[i]!);
  },
  log(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.log(x[i]!);
  },
  erf(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = erf(x[i]!);
  },
  relu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = 0.5 * (v + Math.abs(v));
    }
  },
  leakyRelu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = 0.505 * v + 0.495 * Math.abs(v);
    }
  },
  // The slope of evaluation, (1/8 + 1/3) / 2 = 11/48.
  rrelu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = (59 / 96) * v + (37 / 96) * Math.abs(v);
    }
  },
  relu6(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = 0.5 * (Math.abs(v) - Math.abs(v - 6)) + 3;
    }
  },
  hardtanh(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = 0.5 * (Math.abs(v + 1) - Math.abs(v - 1));
    }
  },
  hardsigmoid(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.min(Math.max(x[i]! + 3, 0), 6) / 6;
  },
  hardswish(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = (v * Math.min(Math.max(v + 3, 0), 6)) / 6;
    }
  },
  softsign(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = v / (1 + Math.abs(v));
    }
  },
  elu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = v > 0 ? v : Math.exp(v) - 1;
    }
  },
  celu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = v > 0 ? v : Math.exp(v) - 1;
    }
  },
  selu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * (Math.exp(v) - 1));
    }
  },
  sigmoid(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]!));
  },
  logSigmoid(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = -Math.log1p(Math.exp(-x[i]!));
  },
  tanh(x, y) {
    for (let i = 0; i < x.length; i++) y[i] = Math.tanh(x[i]!);
  },
  // Where x > 20 it is x, to the last digit of a float.
  softplus(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = v > 20 ? v : Math.log1p(Math.exp(v));
    }
  },
  silu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = v / (1 + Math.exp(-v));
    }
  },
  mish(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = v * Math.tanh(Math.log1p(Math.exp(v)));
    }
  },
  gelu(x, y) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      y[i] = 0.5 * v * (1 + erf(Math.SQRT1_2 * v));
    }
  },
} satisfies Record<string, Loop>;

/** The form with tanh: 0.7978… is √(2/π). */
export const geluTanh: Loop = (x, y) => {
  for (let i = 0; i < x.length; i++) {
    const v = x[i]!;
    y[i] = 0.5 * v * (1 + Math.tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
  }
};

export const clip: Loop = (x, y) => {
  for (let i = 0; i < x.length; i++) {
    const v = x[i]!;
    y[i] = 0.5 * (Math.abs(v + 1) - Math.abs(v - 1));
  }
};

export const binary = {
  add(x, y, b) {
    for (let i = 0; i < x.length; i++) y[i] = x[i]! + b[i]!;
  },
  sub(x, y, b) {
    for (let i = 0; i < x.length; i++) y[i] = x[i]! - b[i]!;
  },
  mul(x, y, b) {
    for (let i = 0; i < x.length; i++) y[i] = x[i]! * b[i]!;
  },
  div(x, y, b) {
    for (let i = 0; i < x.length; i++) y[i] = x[i]! / b[i]!;
  },
  pow(x, y, b) {
    for (let i = 0; i < x.length; i++) y[i] = x[i]! ** b[i]!;
  },
  maximum(x, y, b) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      const w = b[i]!;
      y[i] = 0.5 * (v + w + Math.abs(v - w));
    }
  },
  minimum(x, y, b) {
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      const w = b[i]!;
      y[i] = 0.5 * (v + w - Math.abs(v - w));
    }
  },
} satisfies Record<string, Loop>;

/** A slope for each column of x. */
export const prelu: Loop = (x, y, slope) => {
  for (let start = 0; start < x.length; start += slope.length) {
    for (let j = 0, i = start; j < slope.length; j++, i++) {
      const v = x[i]!;
      y[i] = 0.5 * (v + Math.abs(v) + slope[j]! * (v - Math.abs(v)));
    }
  }
};
