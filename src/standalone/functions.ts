// The functions that a written module may have: each as its text, with a comment, as a person would write it. Those of one
// number are for `map`; the others take the numbers of all rows, one after another, and may write into them.

/** By name; `erfc` is there for `gelu`. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  linear: `/** x · weightᵀ + bias: from rows of \`inputs\` numbers to rows of \`outputs\`; weight is [outputs, inputs]. */
function linear(x, weight, bias, inputs, outputs) {
  const rows = x.length / inputs;
  const y = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < outputs; j++) {
      let sum = bias === null ? 0 : bias[j];
      for (let i = 0; i < inputs; i++) sum += x[row * inputs + i] * weight[j * inputs + i];
      y[row * outputs + j] = sum;
    }
  }
  return y;
}`,

  embedding: `/** The rows of weight, of \`size\` numbers, at the indices in x. */
function embedding(x, weight, size) {
  const y = new Float32Array(x.length * size);
  for (let i = 0; i < x.length; i++) {
    if (!(Number.isInteger(x[i]) && x[i] >= 0 && x[i] < weight.length / size)) {
      throw new RangeError(\`embedding: expected indices 0 … \${weight.length / size - 1}, got \${x[i]}\`);
    }
    y.set(weight.subarray(x[i] * size, (x[i] + 1) * size), i * size);
  }
  return y;
}`,

  batchNorm: `/** (x − mean) / √(variance + eps) · weight + bias for each channel, which has \`length\` numbers of a row. */
function batchNorm(x, mean, variance, weight, bias, eps, length) {
  return x.map((v, i) => {
    const c = Math.floor(i / length) % mean.length;
    const y = (v - mean[c]) / Math.sqrt(variance[c] + eps);
    return weight === null ? y : y * weight[c] + bias[c];
  });
}`,

  layerNorm: `/** (x − mean) / √(variance + eps) · weight + bias, with the mean and the variance of each \`size\` numbers. */
function layerNorm(x, weight, bias, eps, size) {
  for (let start = 0; start < x.length; start += size) {
    const group = x.subarray(start, start + size);
    const mean = group.reduce((sum, v) => sum + v, 0) / size;
    const variance = group.reduce((sum, v) => sum + (v - mean) ** 2, 0) / size;
    for (let i = 0; i < size; i++) {
      const y = (group[i] - mean) / Math.sqrt(variance + eps);
      group[i] = weight === null ? y : y * weight[i] + bias[i];
    }
  }
  return x;
}`,

  softmax: `/** e^x / Σ e^x over each \`size\` numbers that lie \`step\` apart. */
function softmax(x, size, step) {
  for (let start = 0; start < x.length; start++) {
    if (start % (size * step) >= step) continue;
    const end = start + size * step;
    let max = -Infinity;
    for (let i = start; i < end; i += step) max = Math.max(max, x[i]);
    let sum = 0;
    for (let i = start; i < end; i += step) {
      x[i] = x[i] === max ? 1 : Math.exp(x[i] - max);
      sum += x[i];
    }
    for (let i = start; i < end; i += step) x[i] /= sum;
  }
  return x;
}`,

  logSoftmax: `/** x − log Σ e^x over each \`size\` numbers that lie \`step\` apart. */
function logSoftmax(x, size, step) {
  for (let start = 0; start < x.length; start++) {
    if (start % (size * step) >= step) continue;
    const end = start + size * step;
    let max = -Infinity;
    for (let i = start; i < end; i += step) max = Math.max(max, x[i]);
    let sum = 0;
    for (let i = start; i < end; i += step) sum += x[i] === max ? 1 : Math.exp(x[i] - max);
    for (let i = start; i < end; i += step) x[i] = (x[i] === max ? 0 : x[i] - max) - Math.log(sum);
  }
  return x;
}`,

  maxout: `/** The largest of each k numbers. */
function maxout(x, k) {
  const y = new Float32Array(x.length / k);
  for (let i = 0; i < y.length; i++) {
    y[i] = x.subarray(i * k, (i + 1) * k).reduce((max, v) => Math.max(max, v));
  }
  return y;
}`,

  prelu: `/** x > 0 ? x : slope · x, with one slope or one for each channel, which has \`length\` numbers of a row. */
function prelu(x, slope, length) {
  return x.map((v, i) => (v > 0 ? v : slope[Math.floor(i / length) % slope.length] * v));
}`,

  sigmoid: `function sigmoid(v) {
  return 1 / (1 + Math.exp(-v));
}`,

  relu: `function relu(v) {
  return Math.max(v, 0);
}`,

  relu6: `function relu6(v) {
  return Math.min(Math.max(v, 0), 6);
}`,

  leakyRelu: `function leakyRelu(v, slope) {
  return v > 0 ? v : slope * v;
}`,

  elu: `function elu(v, alpha) {
  return v > 0 ? v : alpha * Math.expm1(v);
}`,

  celu: `function celu(v, alpha) {
  return v > 0 ? v : alpha * Math.expm1(v / alpha);
}`,

  selu: `function selu(v) {
  return 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * Math.expm1(v));
}`,

  gelu: `/** v Φ(v), where Φ(v) = erfc(−v / √2) / 2 is the normal distribution; 0 as far as float32 goes below −40. */
function gelu(v) {
  return v < -40 ? 0 : (v / 2) * erfc(-v / Math.SQRT2);
}`,

  erfc: `/** 1 − erf(v): by a series of positive terms, and beyond 2.5 by a continued fraction. */
function erfc(v) {
  if (v < 0) return 2 - erfc(-v);
  const density = Math.exp(-v * v) / Math.sqrt(Math.PI);
  if (v < 2.5) {
    let sum = v;
    for (let n = 1, term = v; term > 1e-17 * sum; n++) {
      term *= (v * v) / (n + 0.5);
      sum += term;
    }
    return 1 - 2 * density * sum;
  }
  let rest = 0;
  for (let n = 40; n > 0; n--) rest = n / 2 / (v + rest);
  return density / (v + rest);
}`,

  geluTanh: `/** v/2 (1 + tanh(√(2/π) (v + 0.044715 v³))), which is near v Φ(v); 0 as far as float32 goes below −40. */
function geluTanh(v) {
  return v < -40 ? 0 : (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
}`,

  silu: `/** v σ(v); 0 as far as float32 goes below −200. */
function silu(v) {
  return v < -200 ? 0 : v / (1 + Math.exp(-v));
}`,

  mish: `/** v tanh(log(1 + e^v)); 0 as far as float32 goes below −200. */
function mish(v) {
  return v < -200 ? 0 : v * Math.tanh(Math.log1p(Math.exp(v)));
}`,

  softplus: `/** log(1 + e^(beta v)) / beta, v itself where beta v > threshold. */
function softplus(v, beta, threshold) {
  const z = beta * v;
  return z > threshold ? v : (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) / beta;
}`,

  logSigmoid: `/** log σ(v) */
function logSigmoid(v) {
  return Math.min(v, 0) - Math.log1p(Math.exp(-Math.abs(v)));
}`,

  softsign: `function softsign(v) {
  return Math.abs(v) === Infinity ? Math.sign(v) : v / (1 + Math.abs(v));
}`,

  hardtanh: `function hardtanh(v, min, max) {
  return Math.min(Math.max(v, min), max);
}`,

  hardsigmoid: `function hardsigmoid(v) {
  return Math.min(Math.max((v + 3) / 6, 0), 1);
}`,

  hardswish: `function hardswish(v) {
  return v < -3 ? 0 : v * Math.min((v + 3) / 6, 1);
}`,
};
