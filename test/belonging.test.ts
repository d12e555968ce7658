// Modules that run in the forward pass of others: they belong to them, or it is an error.
import { describe, expect, test } from "vitest";
import {
  type AnyModule,
  BatchNorm1d,
  compile,
  Dropout,
  Linear,
  Module,
  NablasError,
  noGrad,
  OptionError,
  ReLU,
  Sequential,
  type Tensor,
  tensor,
} from "../src/index";
import { Hiding } from "./hiding";

const x = tensor([
  [1, 2],
  [3, -1],
]);

describe("a module that runs in another one's forward pass without belonging to it", () => {
  class Doubled extends Module {
    forward(x: Tensor): Tensor {
      return this.training ? x.mul(2) : x;
    }
  }
  class Box {
    constructor(readonly layer: Module) {}
  }
  class Boxed extends Module {
    readonly box = new Box(new Linear(2, 2));
    forward(x: Tensor): Tensor {
      return this.box.layer.forward(x);
    }
  }
  const elsewhere = new WeakMap<Module, Module>();
  class Weak extends Module {
    constructor() {
      super();
      elsewhere.set(this, new Linear(2, 2));
    }
    forward(x: Tensor): Tensor {
      return elsewhere.get(this)!.forward(x);
    }
  }
  class Asking extends Module {
    readonly own = new Linear(2, 2);
    forward(x: Tensor, other: Module): Tensor {
      return other.forward(this.own.forward(x));
    }
  }
  class Made extends Module {
    forward(x: Tensor): Tensor {
      return new Sequential(new ReLU(), new Linear(2, 2)).forward(x);
    }
  }
  class Lazy extends Module {
    inner: Linear | undefined;
    forward(x: Tensor): Tensor {
      this.inner ??= new Linear(x.shape[1]!, 2);
      return this.inner.forward(x);
    }
  }

  const wrong: Record<string, [run: () => Tensor, name: string]> = {
    "in a private field": [() => new Hiding(new Linear(2, 2)).forward(x), "Linear(2 → 2)"],
    "deep in a private field": [
      () => new Hiding(new Sequential(new Sequential(new Linear(2, 2)))).forward(x),
      "Sequential(Sequential(Linear(2 → 2)))",
    ],
    "with buffers only": [
      () => new Hiding(new BatchNorm1d(2, { affine: false })).forward(x),
      "BatchNorm1d(2)",
    ],
    "dropout, which eval() does not switch": [() => new Hiding(new Dropout()).forward(x), "Dropout"],
    "dropout in a Sequential": [
      () => new Hiding(new Sequential(new Dropout())).eval().forward(x),
      "Sequential(Dropout)",
    ],
    "what asks for its mode": [() => new Hiding(new Doubled()).forward(x), "Doubled"],
    "in an object of a class": [() => new Boxed().forward(x), "Linear(2 → 2)"],
    "in a WeakMap": [() => new Weak().forward(x), "Linear(2 → 2)"],
    "as an argument": [() => new Asking().forward(x, new Linear(2, 2)), "Linear(2 → 2)"],
    "made in forward": [() => new Made().forward(x), "Sequential(ReLU, Linear(2 → 2))"],
    "made in a module's first pass": [() => new Hiding(new Lazy()).forward(x), "Lazy"],
    "in a child's child": [() => new Sequential(new Hiding(new Linear(2, 2))).forward(x), "Linear(2 → 2)"],
    "without recording": [() => noGrad(() => new Hiding(new Linear(2, 2)).forward(x)), "Linear(2 → 2)"],
    "when it is compiled": [
      () => compile((x: Tensor) => new Hiding(new Linear(2, 2)).forward(x))(x),
      "Linear(2 → 2)",
    ],
  };

  test.each(Object.entries(wrong))("%s: is an error", (_, [run, name]) => {
    const error = thrown(run);
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toContain(`${name} runs in the forward pass of `);
    expect(error.message).toContain("this.register(name, module, { owned?: false })");
  });

  test("is refused before it changes anything, each time", () => {
    const norm = new BatchNorm1d(2);
    const model = new Hiding(norm);
    for (let i = 0; i < 2; i++) expect(() => model.forward(x)).toThrow(/register/);
    expect(norm.numBatchesTracked!.item()).toBe(0);
  });

  test("is said where it is: in which module of the model", () => {
    const model = new Sequential(new ReLU(), new Hiding(new Linear(2, 2)));
    expect(() => model.forward(x)).toThrow(/^Hiding "1": Linear\(2 → 2\) runs in the forward pass of Hiding/);
  });

  class Reuse extends Module {
    readonly a = new Linear(2, 2);
    readonly b = new Dropout();
    forward(x: Tensor): Tensor {
      return new Sequential(this.a, new ReLU(), this.b).forward(new ReLU().forward(x));
    }
  }
  class Tied extends Module {
    readonly parent: AnyModule;
    readonly own = new Linear(2, 2);
    constructor(parent: AnyModule) {
      super();
      this.parent = parent;
    }
    forward(x: Tensor): Tensor {
      return (this.parent as Parent).shared.forward(this.own.forward(x));
    }
  }
  class Parent extends Module {
    readonly shared = new Linear(2, 2);
    readonly child = new Tied(this);
    forward(x: Tensor, depth = 0): Tensor {
      return depth < 2 ? this.forward(x, depth + 1) : this.child.forward(x);
    }
  }
  class Borrowing extends Module {
    readonly #lent: Module;
    constructor(lent: Module) {
      super();
      this.#lent = lent;
    }
    forward(x: Tensor): Tensor {
      return this.#lent.forward(x);
    }
  }
  class Lending extends Module {
    readonly lent = new Linear(2, 2);
    readonly borrower = new Borrowing(this.lent);
    forward(x: Tensor): Tensor {
      return this.borrower.forward(x);
    }
  }
  class Replaced extends Module {
    part: Module = new Linear(2, 2);
    forward(x: Tensor): Tensor {
      return this.part.forward(x);
    }
  }

  test("and that needs no care: it has no tensors and no mode", () => {
    expect(new Hiding(new ReLU()).forward(x).shape).toEqual([2, 1]);
    const model = new Reuse();
    for (let i = 0; i < 3; i++) model.forward(x).sum().backward();
    expect(model.a.weight.grad).not.toBeNull();
  });

  test("or that belongs to a module around it", () => {
    const parent = new Parent();
    expect(parent.forward(x).shape).toEqual([2, 2]);
    expect(parent.child.forward(x).shape).toEqual([2, 2]);
    const lending = new Lending();
    for (let i = 0; i < 2; i++) expect(lending.forward(x).shape).toEqual([2, 2]);
    expect(() => lending.borrower.forward(x)).toThrow(
      /Linear\(2 → 2\) runs in the forward pass of Borrowing/,
    );
  });

  test("until it is put into a field: a part that was exchanged belongs", () => {
    const model = new Replaced();
    model.forward(x);
    model.part = new Sequential(new Dropout(), new Linear(2, 2));
    expect(model.eval().forward(x).shape).toEqual([2, 2]);
    expect(model.parameters()).toHaveLength(2);
  });
});

function thrown(fn: () => unknown): NablasError {
  try {
    fn();
  } catch (error) {
    return error as NablasError;
  }
  throw new NablasError("no error");
}
