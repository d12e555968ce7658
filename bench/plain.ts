/**
 * The kernels in plain JavaScript, written as one would write them for speed: typed arrays, no allocation,
 * sums in local variables. The sums are doubles: V8 runs them faster than chains of `Math.fround`.
 */

/**
 * out[M, N] = A[M, K] · B[K, N], all row-major. `transposeA` takes A as [K, M], `transposeB` B as [N, K].
 * Blocks of 2 x 4 sums stay in registers, so six loads feed eight multiplications; one row alone is
 * multiplied in blocks of 1 x 4.
 */
export function matmul(
  a: Float32Array,
  b: Float32Array,
  out: Float32Array,
  M: number,
  N: number,
  K: number,
  { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {},
): void {
  const aRow = transposeA ? 1 : K;
  const aStep = transposeA ? M : 1;
  const bColumn = transposeB ? K : 1;
  const bStep = transposeB ? 1 : N;
  if (M === 1) {
    row(a, b, bColumn, bStep, K, out, N);
    return;
  }
  const evenM = M - (M % 2);
  const evenN = N - (N % 4);
  for (let i = 0; i < evenM; i += 2) {
    for (let j = 0; j < evenN; j += 4) {
      block2x4(a, i * aRow, aRow, aStep, b, j * bColumn, bColumn, bStep, K, out, i * N + j, N);
    }
  }
  for (let i = 0; i < M; i++) {
    for (let j = i < evenM ? evenN : 0; j < N; j++) {
      out[i * N + j] = dot(a, i * aRow, aStep, b, j * bColumn, bStep, K);
    }
  }
}

/** Two rows of A times four columns of B. `p` and `q` walk along K. */
function block2x4(
  a: Float32Array,
  p: number,
  aRow: number,
  aStep: number,
  b: Float32Array,
  q: number,
  bColumn: number,
  bStep: number,
  K: number,
  out: Float32Array,
  o: number,
  outRow: number,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let k = 0; k < K; k++, p += aStep, q += bStep) {
    const a0 = a[p]!;
    const a1 = a[p + aRow]!;
    const b0 = b[q]!;
    const b1 = b[q + bColumn]!;
    const b2 = b[q + 2 * bColumn]!;
    const b3 = b[q + 3 * bColumn]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
  }
  out[o] = s00;
  out[o + 1] = s01;
  out[o + 2] = s02;
  out[o + 3] = s03;
  out[o + outRow] = s10;
  out[o + outRow + 1] = s11;
  out[o + outRow + 2] = s12;
  out[o + outRow + 3] = s13;
}

/** out[N] = a[K] · B */
function row(
  a: Float32Array,
  b: Float32Array,
  bColumn: number,
  bStep: number,
  K: number,
  out: Float32Array,
  N: number,
): void {
  const evenN = N - (N % 4);
  for (let j = 0; j < evenN; j += 4) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = 0, q = j * bColumn; k < K; k++, q += bStep) {
      const a0 = a[k]!;
      s0 += a0 * b[q]!;
      s1 += a0 * b[q + bColumn]!;
      s2 += a0 * b[q + 2 * bColumn]!;
      s3 += a0 * b[q + 3 * bColumn]!;
    }
    out[j] = s0;
    out[j + 1] = s1;
    out[j + 2] = s2;
    out[j + 3] = s3;
  }
  for (let j = evenN; j < N; j++) out[j] = dot(a, 0, 1, b, j * bColumn, bStep, K);
}

function dot(
  a: Float32Array,
  p: number,
  aStep: number,
  b: Float32Array,
  q: number,
  bStep: number,
  K: number,
): number {
  let sum = 0;
  for (let k = 0; k < K; k++, p += aStep, q += bStep) sum += a[p]! * b[q]!;
  return sum;
}

/** out[row, j] += bias[j] */
export function addBias(out: Float32Array, bias: Float32Array, rows: number): void {
  const cols = bias.length;
  for (let row = 0, i = 0; row < rows; row++) {
    for (let j = 0; j < cols; j++, i++) out[i] = out[i]! + bias[j]!;
  }
}

/** dBias[j] = Σ over rows of dOut[row, j] */
export function sumRows(dOut: Float32Array, dBias: Float32Array, rows: number): void {
  const cols = dBias.length;
  dBias.fill(0);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let j = 0; j < cols; j++, i++) dBias[j] = dBias[j]! + dOut[i]!;
  }
}

/** Each row: out = exp(x - max) / Σ exp(x - max) */
export function softmax(x: Float32Array, out: Float32Array, rows: number, cols: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    const sum = exponentials(x, out, start, start + cols);
    const scale = 1 / sum;
    for (let i = start; i < start + cols; i++) out[i] = out[i]! * scale;
  }
}

/** Each row: out = x - max - log Σ exp(x - max) */
export function logSoftmax(x: Float32Array, out: Float32Array, rows: number, cols: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    let max = x[start]!;
    for (let i = start + 1; i < start + cols; i++) if (x[i]! > max) max = x[i]!;
    let sum = 0;
    for (let i = start; i < start + cols; i++) sum += Math.exp(x[i]! - max);
    const shift = max + Math.log(sum);
    for (let i = start; i < start + cols; i++) out[i] = x[i]! - shift;
  }
}

export const rowwise = { softmax, logSoftmax };

/** Each row, with y = softmax(x): dx = y · (dy - Σ y · dy) */
export function softmaxGradient(
  y: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  rows: number,
  cols: number,
): void {
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    const mean = dot(y, start, 1, dy, start, 1, cols);
    for (let i = start; i < start + cols; i++) dx[i] = y[i]! * (dy[i]! - mean);
  }
}

/**
 * The mean over the rows of logSumExp(x) - x[label]; with respect to x its gradient is
 * (softmax(x) - oneHot(label)) / rows, written to dx.
 */
export function crossEntropy(x: Float32Array, labels: Int32Array, dx: Float32Array, cols: number): number {
  const rows = labels.length;
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * cols;
    const target = start + labels[row]!;
    const sum = exponentials(x, dx, start, start + cols);
    loss += Math.log(sum) - Math.log(dx[target]!);
    const scale = 1 / (sum * rows);
    for (let i = start; i < start + cols; i++) dx[i] = dx[i]! * scale;
    dx[target] = dx[target]! - 1 / rows;
  }
  return loss / rows;
}

/** out = exp(x - max) over [start, end); returns the sum. */
function exponentials(x: Float32Array, out: Float32Array, start: number, end: number): number {
  let max = -Infinity;
  for (let i = start; i < end; i++) if (x[i]! > max) max = x[i]!;
  let sum = 0;
  for (let i = start; i < end; i++) {
    const e = Math.exp(x[i]! - max);
    out[i] = e;
    sum += e;
  }
  return sum;
}

/** y may be x. */
export function relu(x: Float32Array, y: Float32Array, size = x.length): void {
  for (let i = 0; i < size; i++) y[i] = 0.5 * (x[i]! + Math.abs(x[i]!));
}

/** dx *= (y > 0), where dx comes in as the gradient of y. */
export function reluGradient(y: Float32Array, dx: Float32Array, size: number): void {
  for (let i = 0; i < size; i++) dx[i] = dx[i]! * Number(y[i]! > 0);
}

/** The mean of (y - target)²; its gradient 2 (y - target) / size is written to dy. */
export function meanSquaredError(y: Float32Array, target: Float32Array, dy: Float32Array): number {
  const size = target.length;
  let loss = 0;
  for (let i = 0; i < size; i++) {
    const difference = y[i]! - target[i]!;
    dy[i] = (2 / size) * difference;
    loss += difference * difference;
  }
  return loss / size;
}

/** The largest of each k neighbours. */
export function maxout(x: Float32Array, y: Float32Array, k: number): void {
  for (let j = 0, i = 0; j < y.length; j++) {
    let max = -Infinity;
    for (const end = i + k; i < end; i++) if (x[i]! > max) max = x[i]!;
    y[j] = max;
  }
}

/** In each row 1 at the first maximum, 0 elsewhere. */
export function hardmax(x: Float32Array, y: Float32Array, cols: number): void {
  y.fill(0);
  for (let start = 0; start < x.length; start += cols) {
    let best = start;
    for (let i = start + 1; i < start + cols; i++) if (x[i]! > x[best]!) best = i;
    y[best] = 1;
  }
}
