// One optimizer step over a whole parameter. Hyperparameters are a block of float64 in linear memory, the step
// count an i32 cell: a replayed call moves on by itself. `advance` comes first, so that steps count from 1.
import { Lanes } from "./simd/lanes";

/** A step begins: the count goes up by 1, to 2³¹ − 1, where every β^t is long 0. */
export function advance(step: usize): void {
  const count = load<i32>(step);
  store<i32>(step, count + i32(count < i32.MAX_VALUE));
}

/** Hyperparameters of SGD, in this order in memory. */
@unmanaged
class SgdOptions {
  lr: f64;
  momentum: f64;
  dampening: f64;
  nesterov: f64;
  weightDecay: f64;
  l1: f64;
}

/** The gradient of the penalised loss: g + weightDecay · w + l1 · sign w */
@inline
function penalised(g: v128, w: v128, weightDecay: v128, l1: v128): v128 {
  return f32x4.add(f32x4.add(g, f32x4.mul(weightDecay, w)), f32x4.mul(l1, Lanes.sign(w)));
}

/**
 * b = g in its first step, then momentum · b + (1 − dampening) g;  w −= lr · b, or lr (g + momentum · b) with
 * Nesterov; w −= lr · g where there is no buffer b (b = 0). `step` counts the steps of b. The formulas of
 * torch.optim.SGD.
 */
export function sgdStep(g: usize, w: usize, b: usize, step: usize, hyper: usize, n: i32): void {
  const options = changetype<SgdOptions>(hyper);
  const lr = f32x4.splat(<f32>options.lr);
  const momentum = f32x4.splat(<f32>options.momentum);
  const weightDecay = f32x4.splat(<f32>options.weightDecay);
  const l1 = f32x4.splat(<f32>options.l1);
  const first = load<i32>(step) == 1;
  const share = f32x4.splat(first ? 1 : <f32>(1 - options.dampening));
  const nesterov = options.nesterov != 0;
  const isPenalised = options.weightDecay != 0 || options.l1 != 0;
  for (const end = w + (<usize>n << 2); w < end; w += 16, g += 16) {
    const vw = v128.load(w);
    let update = v128.load(g);
    if (isPenalised) update = penalised(update, vw, weightDecay, l1);
    if (b) {
      const vb = f32x4.add(f32x4.mul(momentum, v128.load(b)), f32x4.mul(share, update));
      v128.store(b, vb);
      b += 16;
      update = nesterov ? f32x4.add(update, f32x4.mul(momentum, vb)) : vb;
    }
    v128.store(w, f32x4.sub(vw, f32x4.mul(lr, update)));
  }
}

/** Hyperparameters of Adam, in this order in memory. */
@unmanaged
class AdamOptions {
  lr: f64;
  beta1: f64;
  beta2: f64;
  eps: f64;
  weightDecay: f64;
  l1: f64;
  amsgrad: f64;
}

/**
 * m, v = moving averages of g and g²;  w −= lr / (1 − β1^t) · m / (√v / √(1 − β2^t) + eps). With `vmax` (AMSGrad)
 * the running maximum of v stands for v. With `decoupled` (AdamW) weight decay is no part of g, but comes before it:
 * w −= lr · weightDecay · w. Kingma and Ba 2015, Loshchilov and Hutter 2019; the order of operations is
 * torch.optim.Adam's.
 */
export function adamStep(
  g: usize, w: usize, m: usize, v: usize, vmax: usize, step: usize, hyper: usize, n: i32, decoupled: i32,
): void {
  const options = changetype<AdamOptions>(hyper);
  const t = load<i32>(step);
  const beta1 = f32x4.splat(<f32>options.beta1);
  const beta2 = f32x4.splat(<f32>options.beta2);
  const rest1 = f32x4.splat(<f32>(1 - options.beta1));
  const rest2 = f32x4.splat(<f32>(1 - options.beta2));
  const rate = f32x4.splat(<f32>(options.lr / (1 - power(options.beta1, t))));
  const root = f32x4.splat(<f32>(1 / sqrt(1 - power(options.beta2, t))));
  const eps = f32x4.splat(<f32>options.eps);
  const weightDecay = f32x4.splat(decoupled ? 0 : <f32>options.weightDecay);
  const decay = f32x4.splat(decoupled ? <f32>(options.lr * options.weightDecay) : 0);
  const l1 = f32x4.splat(<f32>options.l1);
  const end = <usize>n << 2;
  for (let i: usize = 0; i < end; i += 16) {
    let vw = v128.load(w + i);
    vw = f32x4.sub(vw, f32x4.mul(decay, vw));
    const vg = penalised(v128.load(g + i), vw, weightDecay, l1);
    const vm = f32x4.add(f32x4.mul(beta1, v128.load(m + i)), f32x4.mul(rest1, vg));
    let vv = f32x4.add(f32x4.mul(beta2, v128.load(v + i)), f32x4.mul(rest2, f32x4.mul(vg, vg)));
    v128.store(m + i, vm);
    v128.store(v + i, vv);
    if (vmax) {
      vv = f32x4.max(vv, v128.load(vmax + i));
      v128.store(vmax + i, vv);
    }
    const scale = f32x4.add(f32x4.mul(f32x4.sqrt(vv), root), eps);
    v128.store(w + i, f32x4.sub(vw, f32x4.mul(rate, f32x4.div(vm, scale))));
  }
}

/** Hyperparameters of RMSprop, in this order in memory. */
@unmanaged
class RmspropOptions {
  lr: f64;
  alpha: f64;
  eps: f64;
  momentum: f64;
  centered: f64;
  weightDecay: f64;
  l1: f64;
}

/**
 * v = moving average of g²;  u = g / (√v + eps), where with an average a of g (centered) v − a² stands for v;
 * w −= lr · u, or with a buffer b: b = momentum · b + u, w −= lr · b. Tieleman and Hinton 2012; the order of
 * operations is torch.optim.RMSprop's. The variance v − a² is kept from falling below 0 by rounding.
 */
export function rmspropStep(
  g: usize, w: usize, v: usize, a: usize, b: usize, hyper: usize, n: i32,
): void {
  const options = changetype<RmspropOptions>(hyper);
  const lr = f32x4.splat(<f32>options.lr);
  const alpha = f32x4.splat(<f32>options.alpha);
  const rest = f32x4.splat(<f32>(1 - options.alpha));
  const eps = f32x4.splat(<f32>options.eps);
  const momentum = f32x4.splat(<f32>options.momentum);
  const weightDecay = f32x4.splat(<f32>options.weightDecay);
  const l1 = f32x4.splat(<f32>options.l1);
  const end = <usize>n << 2;
  for (let i: usize = 0; i < end; i += 16) {
    const vw = v128.load(w + i);
    const vg = penalised(v128.load(g + i), vw, weightDecay, l1);
    let vv = f32x4.add(f32x4.mul(alpha, v128.load(v + i)), f32x4.mul(rest, f32x4.mul(vg, vg)));
    v128.store(v + i, vv);
    if (a) {
      const va = f32x4.add(f32x4.mul(alpha, v128.load(a + i)), f32x4.mul(rest, vg));
      v128.store(a + i, va);
      vv = f32x4.max(f32x4.sub(vv, f32x4.mul(va, va)), f32x4.splat(0));
    }
    let update = f32x4.div(vg, f32x4.add(f32x4.sqrt(vv), eps));
    if (b) {
      update = f32x4.add(f32x4.mul(momentum, v128.load(b + i)), update);
      v128.store(b + i, update);
    }
    v128.store(w + i, f32x4.sub(vw, f32x4.mul(lr, update)));
  }
}

/** Hyperparameters of Adagrad, in this order in memory. The last is where the sums begin. */
@unmanaged
class AdagradOptions {
  lr: f64;
  lrDecay: f64;
  eps: f64;
  weightDecay: f64;
  l1: f64;
  initialAccumulatorValue: f64;
}

/**
 * s += g²;  w −= lr / (1 + (t − 1) lrDecay) · g / (√s + eps). Duchi, Hazan and Singer 2011; the order of operations
 * is torch.optim.Adagrad's.
 */
export function adagradStep(g: usize, w: usize, s: usize, step: usize, hyper: usize, n: i32): void {
  const options = changetype<AdagradOptions>(hyper);
  const past = load<i32>(step) - 1;
  const rate = f32x4.splat(<f32>(options.lr / (1 + past * options.lrDecay)));
  const eps = f32x4.splat(<f32>options.eps);
  const weightDecay = f32x4.splat(<f32>options.weightDecay);
  const l1 = f32x4.splat(<f32>options.l1);
  const end = <usize>n << 2;
  for (let i: usize = 0; i < end; i += 16) {
    const vw = v128.load(w + i);
    const vg = penalised(v128.load(g + i), vw, weightDecay, l1);
    const vs = f32x4.add(v128.load(s + i), f32x4.mul(vg, vg));
    v128.store(s + i, vs);
    v128.store(w + i, f32x4.sub(vw, f32x4.mul(rate, f32x4.div(vg, f32x4.add(f32x4.sqrt(vs), eps)))));
  }
}

/** x^n for n ≥ 0 by repeated squaring. */
function power(x: f64, n: i32): f64 {
  let y: f64 = 1;
  for (; n > 0; n >>= 1, x *= x) {
    if (n & 1) y *= x;
  }
  return y;
}
