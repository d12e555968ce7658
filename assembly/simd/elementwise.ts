// The only elementwise loops. An op is an unmanaged class with @inline methods from four lanes to four lanes:
// `changetype<Op>(0)` picks it at compile time, so that nothing of the class is left in the loop.
import { Lanes } from "./lanes";
import { highHalf, lowHalf, narrow } from "./moments";

/**
 * y = op(x), two vectors in lock-step: both are formed before either is stored, so that they share their constants.
 * At an odd end they are one and the same. An op with parameters receives them as splats a, b and says so by a getter
 * `parameters`, or `wide` if it works on two lanes of float64.
 */
export function forward<Op>(x: usize, y: usize, n: i32, a: f32 = 0, b: f32 = 0): void {
  const va = f32x4.splat(a);
  const vb = f32x4.splat(b);
  const end = x + (<usize>n << 2);
  for (let next: usize = 16; x < end; next = 0) {
    for (const last = end - next; x < last; x += 32, y += 32) {
      const y0 = apply<Op>(v128.load(x), va, vb);
      const y1 = apply<Op>(v128.load(x + next), va, vb);
      v128.store(y, y0);
      v128.store(y + next, y1);
    }
  }
}

/** dx += op′ · dy, from the saved input or output of the op. */
export function backward<Op>(saved: usize, dy: usize, dx: usize, n: i32, a: f32 = 0, b: f32 = 0): void {
  const va = f32x4.splat(a);
  const vb = f32x4.splat(b);
  const end = saved + (<usize>n << 2);
  for (; saved < end; saved += 16, dy += 16, dx += 16) {
    const g = applyBackward<Op>(v128.load(saved), v128.load(dy), va, vb);
    v128.store(dx, f32x4.add(v128.load(dx), g));
  }
}

@inline
function apply<Op>(x: v128, a: v128, b: v128): v128 {
  if (isDefined(changetype<Op>(0).wide)) {
    const low = changetype<Op>(0).forward(lowHalf(x), lowHalf(a), lowHalf(b));
    return narrow(low, changetype<Op>(0).forward(highHalf(x), lowHalf(a), lowHalf(b)));
  }
  if (isDefined(changetype<Op>(0).parameters)) return changetype<Op>(0).forward(x, a, b);
  return changetype<Op>(0).forward(x);
}

@inline
function applyBackward<Op>(saved: v128, dy: v128, a: v128, b: v128): v128 {
  if (isDefined(changetype<Op>(0).wide)) {
    const low = changetype<Op>(0).backward(lowHalf(saved), lowHalf(dy), lowHalf(a), lowHalf(b));
    return narrow(low, changetype<Op>(0).backward(highHalf(saved), highHalf(dy), lowHalf(a), lowHalf(b)));
  }
  if (isDefined(changetype<Op>(0).parameters)) return changetype<Op>(0).backward(saved, dy, a, b);
  return changetype<Op>(0).backward(saved, dy);
}

/** z[r, :] += bias for every row, bias = 0 for none;  y = op(z). Where the way back reads y alone, y may be z. */
export function biased<Op>(z: usize, bias: usize, y: usize, rows: i32, cols: i32): void {
  if (!bias) {
    forward<Op>(z, y, rows * cols);
    return;
  }
  const body = <usize>(cols & ~3) << 2;
  const tail = cols & 3;
  const bytes = <usize>cols << 2;
  for (let r = 0; r < rows; r++, z += bytes, y += bytes) {
    for (let i: usize = 0; i < body; i += 16) {
      const v = f32x4.add(v128.load(z + i), v128.load(bias + i));
      v128.store(z + i, v);
      v128.store(y + i, changetype<Op>(0).forward(v));
    }
    if (tail) {
      const v = f32x4.add(v128.load(z + body), v128.load(bias + body));
      Lanes.store(z + body, v, tail);
      Lanes.store(y + body, changetype<Op>(0).forward(v), tail);
    }
  }
}

/** dy = op′ · dy in place, from the saved input or output of the op. */
export function backwardInPlace<Op>(saved: usize, dy: usize, n: i32): void {
  const end = saved + (<usize>n << 2);
  for (; saved < end; saved += 16, dy += 16) {
    v128.store(dy, changetype<Op>(0).backward(v128.load(saved), v128.load(dy)));
  }
}

/** An operand that has its own value in every column. */
@unmanaged
class Dense {
  @inline at(row: usize, i: usize): v128 {
    return v128.load(row + i);
  }
}

/** An operand with one value for all columns of a row. */
@unmanaged
class Repeated {
  @inline at(row: usize, _i: usize): v128 {
    return v128.load32_splat(row);
  }
}

/** y[r, c] = op(a[r, c], b[r, c]) with the broadcasting strides of index.ts; at most one of aCol, bCol is 0. */
export function binary<Op>(
  a: usize, b: usize, y: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  if (aCol & bCol) binaryRows<Op, Dense, Dense>(a, b, y, rows, cols, aRow, bRow);
  else if (aCol) binaryRows<Op, Dense, Repeated>(a, b, y, rows, cols, aRow, bRow);
  else binaryRows<Op, Repeated, Dense>(a, b, y, rows, cols, aRow, bRow);
}

function binaryRows<Op, A, B>(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, bRow: i32,
): void {
  const body = <usize>(cols & ~3) << 2;
  const tail = cols & 3;
  for (let r = 0; r < rows; r++) {
    for (let i: usize = 0; i < body; i += 16) {
      v128.store(y + i, changetype<Op>(0).forward(changetype<A>(0).at(a, i), changetype<B>(0).at(b, i)));
    }
    if (tail) {
      const v = changetype<Op>(0).forward(changetype<A>(0).at(a, body), changetype<B>(0).at(b, body));
      Lanes.store(y + body, v, tail);
    }
    a += aRow << 2;
    b += bRow << 2;
    y += cols << 2;
  }
}

/** da += ∂op/∂a · dy, where da has the shape of dy: what was broadcast is summed afterwards. */
export function binaryBackwardA<Op>(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackward<Op, ToA>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}

/** db += ∂op/∂b · dy, where db has the shape of dy. */
export function binaryBackwardB<Op>(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackward<Op, ToB>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}

@unmanaged
class ToA {
  @inline get isA(): bool {
    return true;
  }
}

@unmanaged
class ToB {}

@inline
function partial<Op, To>(a: v128, b: v128, dy: v128): v128 {
  if (isDefined(changetype<To>(0).isA)) return changetype<Op>(0).backwardA(a, b, dy);
  return changetype<Op>(0).backwardB(a, b, dy);
}

function binaryBackward<Op, To>(
  a: usize, b: usize, dy: usize, d: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  const body = <usize>(cols & ~3) << 2;
  const tail = cols & 3;
  for (let r = 0; r < rows; r++) {
    for (let i: usize = 0; i < body; i += 16) {
      const g = partial<Op, To>(operand(a, i, aCol), operand(b, i, bCol), v128.load(dy + i));
      v128.store(d + i, f32x4.add(v128.load(d + i), g));
    }
    if (tail) {
      const g = partial<Op, To>(operand(a, body, aCol), operand(b, body, bCol), v128.load(dy + body));
      Lanes.store(d + body, f32x4.add(v128.load(d + body), g), tail);
    }
    a += aRow << 2;
    b += bRow << 2;
    dy += cols << 2;
    d += cols << 2;
  }
}

@inline
function operand(row: usize, i: usize, col: i32): v128 {
  return col ? v128.load(row + i) : v128.load32_splat(row);
}

/** y += x over n elements that need not be aligned. */
@inline
export function addTo(y: usize, x: usize, n: i32): void {
  const body = <usize>(n & ~3) << 2;
  for (let i: usize = 0; i < body; i += 16) {
    v128.store(y + i, f32x4.add(v128.load(y + i), v128.load(x + i)));
  }
  if (n & 3) Lanes.store(y + body, f32x4.add(v128.load(y + body), v128.load(x + body)), n & 3);
}
