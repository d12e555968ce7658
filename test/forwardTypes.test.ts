// Forward passes of any signature: they compile under strict, and run, recorded or not.
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type AnyModule,
  compile,
  diagnose,
  type Layer,
  Linear,
  lint,
  Module,
  mseLoss,
  noGrad,
  ReLU,
  Sequential,
  summary,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";

class Encoder extends Module {
  readonly mu = new Linear(4, 2);
  readonly logvar = new Linear(4, 2);
  forward(x: Tensor): [mu: Tensor, logvar: Tensor] {
    return [this.mu.forward(x), this.logvar.forward(x)];
  }
}

class Cell extends Module {
  readonly layer = new Linear(4, 2);
  forward(x: Tensor, state: { h: Tensor }, scale = 1): { h: Tensor; steps: number } {
    return { h: this.layer.forward(x).add(state.h).mul(scale), steps: 1 };
  }
}

class Tokens extends Module {
  readonly encoder = new Encoder();
  forward(rows: readonly number[][]): Map<string, Tensor> {
    const [mu, logvar] = this.encoder.forward(tensor(rows));
    return new Map([["y", mu.add(logvar.mul(0.5).exp())]]);
  }
}

class Vae extends Module {
  readonly encoder = new Encoder();
  readonly decoder = new Linear(2, 4);
  forward(x: Tensor): { recon: Tensor; mu: Tensor } {
    const [mu, logvar] = this.encoder.forward(x);
    return { recon: this.decoder.forward(mu.add(logvar.exp())), mu };
  }
}

const x = tensor([[1, 2, 3, 4]]);

test("types are those of the subclass, and of the layers of the library", () => {
  expectTypeOf(new Encoder().forward).returns.toEqualTypeOf<[mu: Tensor, logvar: Tensor]>();
  expectTypeOf(new Cell().forward).parameter(1).toEqualTypeOf<{ h: Tensor }>();
  expectTypeOf(new Linear(1, 1).forward).toEqualTypeOf<(x: Tensor) => Tensor>();
  expectTypeOf(new Sequential(new ReLU()).forward).toEqualTypeOf<(x: Tensor) => Tensor>();
  expectTypeOf(new Sequential().layers).toEqualTypeOf<readonly Layer[]>();
  expectTypeOf<Linear>().toExtend<Layer>();
  expectTypeOf<Vae>().toExtend<AnyModule>();
  expectTypeOf<Vae>().not.toExtend<Module>();
  expectTypeOf<Cell>().toExtend<AnyModule>();
  expectTypeOf(summary).parameter(0).toEqualTypeOf<AnyModule>();
  expectTypeOf<Module>().toExtend<Layer>();
  const module: Module = new Linear(4, 2);
  const y: Tensor = module.forward(x);
  expect(y.shape).toEqual([1, 2]);
  // @ts-expect-error: the state is missing
  expect(() => new Cell().forward(x)).toThrow();
});

test("what makes no tensor of a tensor is no layer of a Sequential, and nothing that lint and diagnose can judge", () => {
  // @ts-expect-error
  const model = new Sequential(new ReLU(), new Encoder(), new ReLU());
  expect(() => model.forward(x)).toThrow(/relu: expected a tensor, got an array/);
  // @ts-expect-error
  expect(() => diagnose(new Encoder(), x, x, mseLoss)).toThrow(/diagnose: model: expected a tensor/);
  // @ts-expect-error
  expect(() => lint(new Vae(), mseLoss)).toThrow(/lint: model: expected a tensor/);
});

describe("several outputs, and inputs that are no tensors", () => {
  test("run, recorded or not, and are differentiated", () => {
    for (const run of [(fn: () => void) => fn(), noGrad]) {
      run(() => {
        expect(new Cell().forward(x, { h: zeros([1, 2]) }, 2).h.toArray()).toHaveLength(1);
        expect(
          new Tokens()
            .forward([[1, 2, 3, 4]])
            .get("y")!
            .toArray(),
        ).toHaveLength(1);
      });
    }
    const vae = new Vae();
    const { recon, mu } = vae.forward(x);
    mseLoss(recon, x).add(mu.square().mean()).backward();
    expect(vae.parameters().every(({ grad }) => grad !== null)).toBe(true);
  });

  test("compile to the same numbers, and have a summary", () => {
    const vae = new Vae();
    using step = compile((x: Tensor) => vae.forward(x).recon);
    const eager = vae.forward(x).recon.toArray();
    for (let i = 0; i < 2; i++) expect(step(x).toArray()).toEqual(eager);
    const shapes = summary(vae, [3, 4]).layers.map(({ name, outputShape }) => [name, outputShape]);
    expect(shapes).toEqual([
      ["encoder.mu", [3, 2]],
      ["encoder.logvar", [3, 2]],
      ["decoder", [3, 4]],
    ]);
    expect(summary(new Sequential(new ReLU()), [1]).layers).toHaveLength(1);
  });
});
