// The normal distribution on four lanes: what erf and gelu are made of. φ is its density, Φ its distribution function.
import { Math4, splat } from "./math";

/** 1.5 · 2^15: adding it rounds to a multiple of 2^-8. */
const GRID: usize = memory.data<f32>([49152]);

/**
 * N and D of (1 − Φ(a)) e^(a²/2) = D(a) / (√(2π) a D(a) + N(a)) for 0 ≤ a ≤ 14.75, fitted for the relative error by
 * iteratively reweighted least squares: 2^-29.9. For large a, where the steps of D add up their roundings, D cancels
 * out. The constants 1 and 2 are given: near 0 neither a D(a) nor the sum is rounded more than once.
 */
const TAIL_D: usize = memory.data<f32>([1, 1.0856338, 0.56594676, 0.17078462, 0.029835302, 0.002492176]);
const TAIL_N: usize = memory.data<f32>([2, 1.2604083, 0.41627485, 0.074755244, 0.0062475675]);
const SQRT_2PI: usize = memory.data<f32>([2.50662827]);
const PHI_0: usize = memory.data<f32>([0.398942280]);

/** S of erf(x) = x + x S(x²) for |x| ≤ 0.875, fitted likewise: 2^-26.8. */
const ERF: usize = memory.data<f32>([0.12837915, -0.3761255, 0.11282455, -0.026791463, 0.0050321813, -0.00062032545]);
const ERF_SMALL: usize = memory.data<f32>([0.875]);

/**
 * P of log(1 − erf a) = −a − a P(a) for 0.875 ≤ a ≤ 4, fitted for the relative error of erf by Lawson's iteration:
 * 2^-28.2.
 */
const ERFC: usize = memory.data<f32>([0.12852548, 0.63568044, 0.105312094, -0.022922397, 0.0032251352, -0.00021522785]);
/** Above it erf rounds to 1. */
const ERF_MAX: usize = memory.data<f32>([4]);
/** Above it e^(−x²) rounds to 0. */
const BELL_MAX: usize = memory.data<f32>([10.25]);

export class Normal4 {
  /**
   * 2^64 e^(scale a²) for scale −1 or −½ and |scale| a² ≤ 128. 1.2 ULP. With h as a rounded to 12 bits, h² and
   * a − h are exact and a² = h² + (a − h)(a + h).
   */
  @inline static liftedBell(a: v128, scale: v128): v128 {
    const h = f32x4.sub(f32x4.add(a, splat(GRID)), splat(GRID));
    const low = f32x4.mul(f32x4.sub(a, h), f32x4.add(a, h));
    return Math4.liftedExpOfSum(f32x4.mul(scale, f32x4.mul(h, h)), f32x4.mul(scale, low));
  }

  /**
   * T(a) − φ(0) a for 0 ≤ a ≤ 14.75 and T(a) = (1 − Φ(a)) e^(a²/2) = Mills' ratio / √(2π): with D and N the quotient of
   * (1 − a²) D − φ(0) a N and the sum. What cancels near the root at 0.75 has not been divided yet.
   */
  @inline static tailSlope(a: v128): v128 {
    const d = Math4.madd(Normal4.tailD(a), a, splat(TAIL_D, 0));
    const n = Math4.madd(Normal4.tailN(a), a, splat(TAIL_N, 0));
    const p = f32x4.mul(f32x4.sub(f32x4.splat(1), f32x4.mul(a, a)), d);
    const y = f32x4.sub(p, f32x4.mul(f32x4.mul(a, splat(PHI_0)), n));
    return f32x4.div(y, Math4.madd(f32x4.mul(a, splat(SQRT_2PI)), d, n));
  }

  /** a T(a): from a/2 to nearly φ(0). 3 ULP. a D is formed as a + a² (D − 1) / a. */
  @inline static scaledTail(a: v128): v128 {
    const d = Math4.madd(f32x4.mul(a, a), Normal4.tailD(a), a);
    const n = Math4.madd(d, splat(SQRT_2PI), f32x4.mul(a, Normal4.tailN(a)));
    return f32x4.div(d, f32x4.add(n, splat(TAIL_N, 0)));
  }

  /** (D(a) − 1) / a */
  @inline private static tailD(a: v128): v128 {
    let d = Math4.madd(splat(TAIL_D, 5), a, splat(TAIL_D, 4));
    d = Math4.madd(d, a, splat(TAIL_D, 3));
    d = Math4.madd(d, a, splat(TAIL_D, 2));
    return Math4.madd(d, a, splat(TAIL_D, 1));
  }

  /** (N(a) − 2) / a */
  @inline private static tailN(a: v128): v128 {
    let n = Math4.madd(splat(TAIL_N, 4), a, splat(TAIL_N, 3));
    n = Math4.madd(n, a, splat(TAIL_N, 2));
    return Math4.madd(n, a, splat(TAIL_N, 1));
  }

  /** erf x: a polynomial near zero, 1 − e^(−a − a P(a)) with a = |x| and the sign of x elsewhere. 1.1 ULP. */
  @inline static erf(x: v128): v128 {
    const a = f32x4.abs(x);
    const z = f32x4.mul(x, x);
    let s = Math4.madd(splat(ERF, 5), z, splat(ERF, 4));
    s = Math4.madd(s, z, splat(ERF, 3));
    s = Math4.madd(s, z, splat(ERF, 2));
    s = Math4.madd(s, z, splat(ERF, 1));
    s = Math4.madd(s, z, splat(ERF, 0));
    const c = f32x4.pmin(a, splat(ERF_MAX));
    let p = Math4.madd(splat(ERFC, 5), c, splat(ERFC, 4));
    p = Math4.madd(p, c, splat(ERFC, 3));
    p = Math4.madd(p, c, splat(ERFC, 2));
    p = Math4.madd(p, c, splat(ERFC, 1));
    p = Math4.madd(p, c, splat(ERFC, 0));
    const y = Math4.oneMinusExp(f32x4.neg(Math4.madd(p, c, c)));
    const signed = v128.or(y, v128.and(x, f32x4.splat(-0.0)));
    return v128.bitselect(Math4.madd(x, s, x), signed, f32x4.lt(a, splat(ERF_SMALL)));
  }

  /** erf′ x = 2/√π e^(−x²), 0 where that is below the smallest number. */
  @inline static erfSlope(x: v128): v128 {
    const clamped = f32x4.pmin(f32x4.abs(x), splat(BELL_MAX));
    const bell = Normal4.liftedBell(clamped, f32x4.splat(-1));
    return Math4.lower(f32x4.mul(bell, f32x4.splat(1.12837917)));
  }
}
