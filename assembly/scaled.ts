// Activations whose options scale the argument of an exponential, in float64: rounded to float32 the product or quotient would
// give a wrong exponential, or leave its range. A factor of 1 has kernels of its own, in float32.
import { eluBackward, eluForward } from "./activations";
import { backward, forward } from "./simd/elementwise";
import { Math4 } from "./simd/math";
import { Wide } from "./simd/wide";

/** x > 0 ? x : α (e^(x/α) − 1);  dx = x > 0 ? dy : dy · e^(x/α); elu with α = 1 */
@unmanaged
class Celu {
  @inline get wide(): bool {
    return true;
  }
  @inline forward(x: v128, alpha: v128, _: v128): v128 {
    const y = f64x2.mul(alpha, Wide.expm1(f64x2.div(x, alpha)));
    return v128.bitselect(x, y, f64x2.ge(x, f64x2.splat(0)));
  }
  @inline backward(x: v128, dy: v128, alpha: v128, _: v128): v128 {
    const dx = f64x2.mul(dy, Wide.exp(f64x2.div(x, alpha)));
    return v128.bitselect(dy, dx, f64x2.gt(x, f64x2.splat(0)));
  }
}
export function celuForward(x: usize, y: usize, n: i32, alpha: f32): void {
  if (alpha == 1) eluForward(x, y, n, 1);
  else forward<Celu>(x, y, n, alpha);
}
export function celuBackward(x: usize, dy: usize, dx: usize, n: i32, alpha: f32): void {
  if (alpha == 1) eluBackward(x, dy, dx, n, 1);
  else backward<Celu>(x, dy, dx, n, alpha);
}

/** x > threshold ? x : log(1 + e^x);  dx = x > threshold ? dy : dy · σ(x) */
@unmanaged
class Softplus {
  @inline get parameters(): bool {
    return true;
  }
  @inline forward(x: v128, threshold: v128, _: v128): v128 {
    return v128.bitselect(x, Math4.softplus(x), f32x4.gt(x, threshold));
  }
  @inline backward(x: v128, dy: v128, threshold: v128, _: v128): v128 {
    return v128.bitselect(dy, f32x4.mul(dy, Math4.sigmoid(x)), f32x4.gt(x, threshold));
  }
}

/**
 * With z = βx, z > threshold ? x : log(1 + e^z) / β, as max(z, 0) / β + log(1 + e^−|z|) / β where the first is x or 0;
 * dx = z > threshold ? dy : dy · σ(z)
 */
@unmanaged
class ScaledSoftplus {
  @inline get wide(): bool {
    return true;
  }
  @inline forward(x: v128, beta: v128, threshold: v128): v128 {
    const z = f64x2.mul(beta, x);
    const curve = f64x2.div(Wide.log1p(Wide.exp(f64x2.neg(f64x2.abs(z)))), beta);
    const y = f64x2.add(v128.and(x, f64x2.gt(z, f64x2.splat(0))), curve);
    return v128.bitselect(x, y, f64x2.gt(z, threshold));
  }
  @inline backward(x: v128, dy: v128, beta: v128, threshold: v128): v128 {
    const one = f64x2.splat(1);
    const z = f64x2.mul(beta, x);
    const e = Wide.exp(f64x2.neg(f64x2.abs(z)));
    const larger = f64x2.div(dy, f64x2.add(one, e));
    const dx = v128.bitselect(larger, f64x2.mul(larger, e), f64x2.gt(z, f64x2.splat(0)));
    return v128.bitselect(dy, dx, f64x2.gt(z, threshold));
  }
}
export function softplusForward(x: usize, y: usize, n: i32, beta: f32, threshold: f32): void {
  if (beta == 1) forward<Softplus>(x, y, n, threshold);
  else forward<ScaledSoftplus>(x, y, n, beta, threshold);
}
export function softplusBackward(x: usize, dy: usize, dx: usize, n: i32, beta: f32, threshold: f32): void {
  if (beta == 1) backward<Softplus>(x, dy, dx, n, threshold);
  else backward<ScaledSoftplus>(x, dy, dx, n, beta, threshold);
}
