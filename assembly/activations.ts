// Activations: one class each, formula and derivative side by side. Where the derivative formed from the output
// would cancel (1 − y near saturation), it is formed from the input.
import { backward, binary, binaryBackwardA, binaryBackwardB, forward } from "./simd/elementwise";
import { Math4 } from "./simd/math";

/** x > 0 ? a : b. A NaN in x selects b. */
@inline
function where(x: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, f32x4.gt(x, f32x4.splat(0)));
}

/** y = x;  dx = dy */
@unmanaged
class Identity {
  @inline forward(x: v128): v128 {
    return x;
  }
  @inline backward(_x: v128, dy: v128): v128 {
    return dy;
  }
}
export function identityForward(x: usize, y: usize, n: i32): void { forward<Identity>(x, y, n); }
export function identityBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Identity>(x, dy, dx, n); }

/** σ(x) = 1 / (1 + e^−x);  dx = dy · σ(x) · σ(−x) = dy · e / (1 + e)² with e = e^−|x| */
@unmanaged
class Sigmoid {
  @inline forward(x: v128): v128 {
    return Math4.sigmoid(x);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const e = Math4.expNonPositive(f32x4.neg(f32x4.abs(x)));
    const s = f32x4.add(f32x4.splat(1), e);
    return f32x4.mul(dy, f32x4.div(e, f32x4.mul(s, s)));
  }
}
export function sigmoidForward(x: usize, y: usize, n: i32): void { forward<Sigmoid>(x, y, n); }
export function sigmoidBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Sigmoid>(x, dy, dx, n); }

/** tanh x;  dx = dy · (1 − tanh² x) = dy · 4e / (1 + e)² with e = e^−2|x| */
@unmanaged
class Tanh {
  @inline forward(x: v128): v128 {
    return Math4.tanh(x);
  }
  @inline backward(x: v128, dy: v128): v128 {
    const e = Math4.expNonPositive(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)));
    const s = f32x4.add(f32x4.splat(1), e);
    return f32x4.mul(dy, f32x4.div(f32x4.mul(f32x4.splat(4), e), f32x4.mul(s, s)));
  }
}
export function tanhForward(x: usize, y: usize, n: i32): void { forward<Tanh>(x, y, n); }
export function tanhBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Tanh>(x, dy, dx, n); }

/** max(x, 0), by the maximum that keeps a NaN in x and is one instruction;  dx = x > 0 ? dy : 0 */
@unmanaged
class Relu {
  @inline forward(x: v128): v128 {
    return f32x4.pmax(x, f32x4.splat(0));
  }
  @inline backward(x: v128, dy: v128): v128 {
    return v128.and(dy, f32x4.gt(x, f32x4.splat(0)));
  }
}
export function reluForward(x: usize, y: usize, n: i32): void { forward<Relu>(x, y, n); }
export function reluBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Relu>(x, dy, dx, n); }

/** x > 0 ? x : slope · x;  dx = x > 0 ? dy : slope · dy */
@unmanaged
class LeakyRelu {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(x: v128, slope: v128, _: v128): v128 {
    return where(x, x, f32x4.mul(slope, x));
  }
  @inline backward(x: v128, dy: v128, slope: v128, _: v128): v128 {
    return where(x, dy, f32x4.mul(slope, dy));
  }
}
export function leakyReluForward(x: usize, y: usize, n: i32, slope: f32): void {
  forward<LeakyRelu>(x, y, n, slope);
}
export function leakyReluBackward(x: usize, dy: usize, dx: usize, n: i32, slope: f32): void {
  backward<LeakyRelu>(x, dy, dx, n, slope);
}

/** x > 0 ? x : α (e^x − 1);  dx = x > 0 ? dy : dy · α e^x */
@unmanaged
class Elu {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(x: v128, alpha: v128, _: v128): v128 {
    return where(x, x, f32x4.mul(alpha, Math4.expm1(x)));
  }
  @inline backward(x: v128, dy: v128, alpha: v128, _: v128): v128 {
    const slope = f32x4.mul(alpha, Math4.expNonPositive(f32x4.pmin(x, f32x4.splat(0))));
    return f32x4.mul(dy, where(x, f32x4.splat(1), slope));
  }
}
export function eluForward(x: usize, y: usize, n: i32, alpha: f32): void { forward<Elu>(x, y, n, alpha); }
export function eluBackward(x: usize, dy: usize, dx: usize, n: i32, alpha: f32): void {
  backward<Elu>(x, dy, dx, n, alpha);
}

/** βx > threshold ? x : log(1 + e^βx) / β;  dx = βx > threshold ? dy : dy · σ(βx) */
@unmanaged
class Softplus {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(x: v128, beta: v128, threshold: v128): v128 {
    const z = f32x4.mul(beta, x);
    return v128.bitselect(x, f32x4.div(Math4.softplus(z), beta), f32x4.gt(z, threshold));
  }
  @inline backward(x: v128, dy: v128, beta: v128, threshold: v128): v128 {
    const z = f32x4.mul(beta, x);
    return v128.bitselect(dy, f32x4.mul(dy, Math4.sigmoid(z)), f32x4.gt(z, threshold));
  }
}
export function softplusForward(x: usize, y: usize, n: i32, beta: f32, threshold: f32): void {
  forward<Softplus>(x, y, n, beta, threshold);
}
export function softplusBackward(x: usize, dy: usize, dx: usize, n: i32, beta: f32, threshold: f32): void {
  backward<Softplus>(x, dy, dx, n, beta, threshold);
}

/** PReLU, with the slope broadcast: x > 0 ? x : slope · x;  dx = x > 0 ? dy : slope · dy;  dslope = x > 0 ? 0 : x · dy */
@unmanaged
class Prelu {
  @inline forward(x: v128, slope: v128): v128 {
    return where(x, x, f32x4.mul(slope, x));
  }
  @inline backwardA(x: v128, slope: v128, dy: v128): v128 {
    return where(x, dy, f32x4.mul(slope, dy));
  }
  @inline backwardB(x: v128, _slope: v128, dy: v128): v128 {
    return v128.andnot(f32x4.mul(x, dy), f32x4.gt(x, f32x4.splat(0)));
  }
}
export function preluForward(
  a: usize, b: usize, y: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binary<Prelu>(a, b, y, rows, cols, aRow, aCol, bRow, bCol);
}
export function preluBackwardA(
  a: usize, b: usize, dy: usize, da: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardA<Prelu>(a, b, dy, da, rows, cols, aRow, aCol, bRow, bCol);
}
export function preluBackwardB(
  a: usize, b: usize, dy: usize, db: usize,
  rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  binaryBackwardB<Prelu>(a, b, dy, db, rows, cols, aRow, aCol, bRow, bCol);
}
