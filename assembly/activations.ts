// Activations: one class each, formula and derivative side by side. Where the derivative formed from the output
// would cancel (1 − y near saturation), it is formed from the input. Those that often follow a linear layer also come
// with its bias: linear<Name>Forward leaves z + bias in z, linear<Name>Backward turns dy into dz in place.
import {
  backward, backwardInPlace, biased, binary, binaryBackwardA, binaryBackwardB, forward,
} from "./simd/elementwise";
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
export function linearSigmoidForward(z: usize, bias: usize, y: usize, rows: i32, cols: i32): void {
  biased<Sigmoid>(z, bias, y, rows, cols);
}
export function linearSigmoidBackward(z: usize, dy: usize, n: i32): void { backwardInPlace<Sigmoid>(z, dy, n); }

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
export function linearTanhForward(z: usize, bias: usize, y: usize, rows: i32, cols: i32): void {
  biased<Tanh>(z, bias, y, rows, cols);
}
export function linearTanhBackward(z: usize, dy: usize, n: i32): void { backwardInPlace<Tanh>(z, dy, n); }

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
export function linearReluForward(z: usize, bias: usize, y: usize, rows: i32, cols: i32): void {
  biased<Relu>(z, bias, y, rows, cols);
}
export function linearReluBackward(y: usize, dy: usize, n: i32): void { backwardInPlace<Relu>(y, dy, n); }

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

/** x > 0 ? x : α (e^x − 1);  dx = x > 0 ? dy : dy · α e^x, as α h · h with h = e^(x/2): e^x may underflow where this does not */
@unmanaged
class Elu {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(x: v128, alpha: v128, _: v128): v128 {
    return where(x, x, f32x4.mul(alpha, Math4.expm1(x)));
  }
  @inline backward(x: v128, dy: v128, alpha: v128, _: v128): v128 {
    const h = Math4.expNonPositive(f32x4.mul(f32x4.splat(0.5), f32x4.pmin(x, f32x4.splat(0))));
    return f32x4.mul(dy, where(x, f32x4.splat(1), f32x4.mul(f32x4.mul(alpha, h), h)));
  }
}
export function eluForward(x: usize, y: usize, n: i32, alpha: f32): void { forward<Elu>(x, y, n, alpha); }
export function eluBackward(x: usize, dy: usize, dx: usize, n: i32, alpha: f32): void {
  backward<Elu>(x, dy, dx, n, alpha);
}

/** x > 0 ? λ x : λ α (e^x − 1);  dx = x > 0 ? dy · λ : dy · λ α e^x */
@unmanaged
class Selu {
  @inline get scale(): v128 {
    return f32x4.splat(1.0507009873554805);
  }
  @inline get scaleAlpha(): v128 {
    return f32x4.splat(1.7580993408473766);
  }
  @inline forward(x: v128): v128 {
    return where(x, f32x4.mul(this.scale, x), f32x4.mul(this.scaleAlpha, Math4.expm1(x)));
  }
  @inline backward(x: v128, dy: v128): v128 {
    const slope = f32x4.mul(this.scaleAlpha, Math4.expNonPositive(f32x4.pmin(x, f32x4.splat(0))));
    return f32x4.mul(dy, where(x, this.scale, slope));
  }
}
export function seluForward(x: usize, y: usize, n: i32): void { forward<Selu>(x, y, n); }
export function seluBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Selu>(x, dy, dx, n); }

/** log σ(x) = −log(1 + e^−x);  dx = dy · σ(−x) */
@unmanaged
class LogSigmoid {
  @inline forward(x: v128): v128 {
    return f32x4.neg(Math4.softplus(f32x4.neg(x)));
  }
  @inline backward(x: v128, dy: v128): v128 {
    return f32x4.mul(dy, Math4.sigmoid(f32x4.neg(x)));
  }
}
export function logSigmoidForward(x: usize, y: usize, n: i32): void { forward<LogSigmoid>(x, y, n); }
export function logSigmoidBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<LogSigmoid>(x, dy, dx, n); }

/** x / (1 + |x|), ±1 at ±∞;  dx = dy · r² with r = 1 / (1 + |x|), where (1 + |x|)² could overflow */
@unmanaged
class Softsign {
  @inline forward(x: v128): v128 {
    const max = f32x4.splat(f32.MAX_VALUE);
    const c = f32x4.pmin(f32x4.pmax(x, f32x4.neg(max)), max);
    return f32x4.div(c, f32x4.add(f32x4.abs(c), f32x4.splat(1)));
  }
  @inline backward(x: v128, dy: v128): v128 {
    const one = f32x4.splat(1);
    const r = f32x4.div(one, f32x4.add(f32x4.abs(x), one));
    return f32x4.mul(dy, f32x4.mul(r, r));
  }
}
export function softsignForward(x: usize, y: usize, n: i32): void { forward<Softsign>(x, y, n); }
export function softsignBackward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Softsign>(x, dy, dx, n); }

/** min(max(x, low), high);  dx = low < x < high ? dy : 0 */
@unmanaged
class Hardtanh {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(x: v128, low: v128, high: v128): v128 {
    return f32x4.pmin(f32x4.pmax(x, low), high);
  }
  @inline backward(x: v128, dy: v128, low: v128, high: v128): v128 {
    return v128.and(dy, v128.and(f32x4.gt(x, low), f32x4.lt(x, high)));
  }
}
export function hardtanhForward(x: usize, y: usize, n: i32, low: f32, high: f32): void {
  forward<Hardtanh>(x, y, n, low, high);
}
export function hardtanhBackward(x: usize, dy: usize, dx: usize, n: i32, low: f32, high: f32): void {
  backward<Hardtanh>(x, dy, dx, n, low, high);
}
export function relu6Forward(x: usize, y: usize, n: i32): void { forward<Hardtanh>(x, y, n, 0, 6); }
export function relu6Backward(x: usize, dy: usize, dx: usize, n: i32): void { backward<Hardtanh>(x, dy, dx, n, 0, 6); }

/** min(max(x + 3, 0), 6) / 6;  dx = −3 < x < 3 ? dy / 6 : 0 */
@unmanaged
class Hardsigmoid {
  @inline forward(x: v128): v128 {
    const inside = f32x4.pmax(f32x4.add(x, f32x4.splat(3)), f32x4.splat(0));
    return f32x4.div(f32x4.pmin(inside, f32x4.splat(6)), f32x4.splat(6));
  }
  @inline backward(x: v128, dy: v128): v128 {
    const inside = f32x4.lt(f32x4.abs(x), f32x4.splat(3));
    return v128.and(f32x4.div(dy, f32x4.splat(6)), inside);
  }
}
export function hardsigmoidForward(x: usize, y: usize, n: i32): void { forward<Hardsigmoid>(x, y, n); }
export function hardsigmoidBackward(x: usize, dy: usize, dx: usize, n: i32): void {
  backward<Hardsigmoid>(x, dy, dx, n);
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
