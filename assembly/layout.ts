// Moving elements without changing them: any 4-byte dtype forward; the backward kernels add float32.
import { addTo } from "./simd/elementwise";

/** y = value, n elements. */
export function fill(y: usize, n: i32, value: f32): void {
  const v = f32x4.splat(value);
  const end = y + (<usize>n << 2);
  for (; y < end; y += 16) v128.store(y, v);
}

/** y = 0 over n elements. */
export function zero(y: usize, n: i32): void {
  memory.fill(y, 0, <usize>n << 2);
}

/** y = x, n elements. */
export function copyForward(x: usize, y: usize, n: i32): void {
  memory.copy(y, x, <usize>n << 2);
}

/** dx += dy, n elements. */
export function copyBackward(dy: usize, dx: usize, n: i32): void {
  addTo(dx, dy, n);
}

/** x [outer, a, mid, b, inner] → y [outer, b, mid, a, inner] */
export function transposeForward(
  x: usize, y: usize, outer: i32, a: i32, mid: i32, b: i32, inner: i32,
): void {
  transpose(x, y, outer, a, mid, b, inner, false);
}

/** dx [outer, b, mid, a, inner] += dy [outer, a, mid, b, inner] with the two dimensions exchanged. */
export function transposeBackward(
  dy: usize, dx: usize, outer: i32, a: i32, mid: i32, b: i32, inner: i32,
): void {
  transpose(dy, dx, outer, a, mid, b, inner, true);
}

@inline
function transpose(
  x: usize, y: usize, outer: i32, a: i32, mid: i32, b: i32, inner: i32, add: bool,
): void {
  if (a == 0 || mid == 0 || b == 0 || inner == 0) return; // the other sizes may be anything
  const chunk = <usize>inner << 2;
  const xMid = <usize>b * chunk;
  const xA = <usize>mid * xMid;
  for (let o = 0; o < outer; o++, x += <usize>a * xA) {
    for (let j = 0; j < b; j++) {
      for (let m = 0; m < mid; m++) {
        let p = x + <usize>m * xMid + <usize>j * chunk;
        for (let i = 0; i < a; i++, p += xA, y += chunk) {
          if (inner == 1) store<f32>(y, add ? load<f32>(y) + load<f32>(p) : load<f32>(p));
          else if (add) addTo(y, p, inner);
          else memory.copy(y, p, chunk);
        }
      }
    }
  }
}

/** x [outer, size, inner] → y [outer, count, inner]: y[:, j] = x[:, start + j · step] */
export function sliceForward(
  x: usize, y: usize, outer: i32, size: i32, inner: i32, start: i32, step: i32, count: i32,
): void {
  move(x, y, outer, inner, size, start, step, count, 0, 1, count, false);
}

/** dx[:, start + j · step] += dy[:, j] */
export function sliceBackward(
  dy: usize, dx: usize, outer: i32, size: i32, inner: i32, start: i32, step: i32, count: i32,
): void {
  move(dy, dx, outer, inner, count, 0, 1, size, start, step, count, true);
}

/** x [outer, count, inner] → its place in y [outer, size, inner]: y[:, start + j] = x[:, j] */
export function concatForward(
  x: usize, y: usize, outer: i32, size: i32, inner: i32, start: i32, count: i32,
): void {
  move(x, y, outer, inner, count, 0, 1, size, start, 1, count, false);
}

/** dx[:, j] += dy[:, start + j] */
export function concatBackward(
  dy: usize, dx: usize, outer: i32, size: i32, inner: i32, start: i32, count: i32,
): void {
  move(dy, dx, outer, inner, size, start, 1, count, 0, 1, count, true);
}

/** to[o, toStart + j · toStep] (+)= from[o, fromStart + j · fromStep] in chunks of `inner`. */
@inline
function move(
  from: usize, to: usize, outer: i32, inner: i32,
  fromSize: i32, fromStart: i32, fromStep: i32,
  toSize: i32, toStart: i32, toStep: i32,
  count: i32, add: bool,
): void {
  if (count == 0 || inner == 0) return; // the other sizes may be anything
  const joined = fromStep == 1 && toStep == 1;
  const n = joined ? count * inner : inner;
  const pieces = joined ? 1 : count;
  for (let o = 0; o < outer; o++) {
    let p = from + (<usize>(o * fromSize + fromStart) * inner << 2);
    let q = to + (<usize>(o * toSize + toStart) * inner << 2);
    for (let j = 0; j < pieces; j++) {
      if (add) addTo(q, p, n);
      else memory.copy(q, p, <usize>n << 2);
      p += <usize>(fromStep * inner) << 2;
      q += <usize>(toStep * inner) << 2;
    }
  }
}

/** y = x, of i32 to float32. */
export function toFloat(x: usize, y: usize, n: i32): void {
  for (; n > 0; n -= 4, x += 16, y += 16) v128.store(y, f32x4.convert_i32x4_s(v128.load(x)));
}

/** y [n, classes]: y[i, index[i]] = 1, else 0. */
export function oneHot(index: usize, y: usize, n: i32, classes: i32): void {
  memory.fill(y, 0, <usize>n * classes << 2);
  for (let i = 0; i < n; i++, index += 4, y += <usize>classes << 2) {
    store<f32>(y + (<usize>load<i32>(index) << 2), 1);
  }
}
