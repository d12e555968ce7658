// Modules that are kept where they cannot be found, and those that only run: register says so.
import { describe, expect, test } from "vitest";
import {
  Dropout,
  Linear,
  Module,
  mseLoss,
  NablasError,
  OptionError,
  ones,
  ReLU,
  Sequential,
  SGD,
  summary,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { Hiding } from "./hiding";

const x = tensor([
  [1, 2],
  [3, -1],
]);

describe("register", () => {
  test("makes a child of what is in a private field", () => {
    const hidden = new Sequential(new Linear(2, 2), new Dropout());
    const model = new Hiding(hidden, { owned: true });
    expect(Object.keys(model.stateDict())).toEqual([
      "out.weight",
      "out.bias",
      "hidden.0.weight",
      "hidden.0.bias",
    ]);
    expect(model.eval().forward(x).shape).toEqual([2, 1]);
    expect(hidden.training).toBe(false);
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    const before = (hidden.layers[0] as Linear).weight.toArray();
    mseLoss(model.forward(x), ones([2, 1])).backward();
    optimizer.step();
    expect((hidden.layers[0] as Linear).weight.toArray()).not.toEqual(before);
    expect(summary(model, [1, 2]).layers.map(({ name }) => name)).toEqual(["out", "hidden.0", "hidden.1"]);
  });

  test("takes parts in the order of their definition, also under the name of their field", () => {
    class Net extends Module {
      readonly #a = this.register("a", new Linear(1, 1));
      readonly b = this.register("b", new Linear(1, 1));
      readonly #blocks = [0, 1].map((i) => this.register(`blocks.${i}`, new Linear(1, 1)));
      forward(x: Tensor): Tensor {
        return this.#blocks.reduce((y, block) => block.forward(y), this.b.forward(this.#a.forward(x)));
      }
    }
    expect(new Net().namedChildren().map(([name]) => name)).toEqual(["a", "b", "blocks.0", "blocks.1"]);
    expect(new Net().forward(ones([1, 1])).shape).toEqual([1, 1]);
  });

  test("with owned: false lets a part run that is not trained, saved, switched or freed", () => {
    const teacher = new Sequential(new Linear(2, 2), new Dropout()).eval();
    class Student extends Module {
      readonly own = new Linear(2, 2);
      readonly teacher = this.register("teacher", teacher, { owned: false });
      forward(x: Tensor): Tensor {
        return this.own.forward(x).sub(this.teacher.layers[0]!.forward(this.teacher.forward(x)));
      }
    }
    const student = new Student();
    expect(student.train().forward(x).shape).toEqual([2, 2]);
    expect(Object.keys(student.stateDict())).toEqual(["own.weight", "own.bias"]);
    expect(student.namedChildren().map(([name]) => name)).toEqual(["own"]);
    expect(teacher.training).toBe(false);
    student.dispose();
    expect(teacher.forward(x).shape).toEqual([2, 2]);
    expect(() => student.teacher.forward(zeros([1, 3]))).toThrow(/Linear\(2 → 2\) "0"/);
  });

  test("names a guest in errors", () => {
    const model = new Hiding(new Linear(3, 2), { owned: false });
    expect(() => model.forward(x)).toThrow(/^Linear\(3 → 2\) "hidden": expected \[batch, 3\]/);
  });

  test("can be called in forward, and again for another part", () => {
    class Net extends Module {
      forward(x: Tensor, other: Module): Tensor {
        return this.register("other", other).forward(x);
      }
    }
    const net = new Net();
    net.forward(x, new Linear(2, 2));
    net.forward(x, new Linear(2, 3));
    expect(net.stateDict()["other.weight"]!.shape).toEqual([3, 2]);
    net.register("other", new Linear(1, 1), { owned: false });
    expect(net.parameters()).toEqual([]);
  });

  test("refuses what is no name, no module, or has the name of something else", () => {
    class Net extends Module {
      readonly out = new Linear(1, 1);
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    const net = new Net();
    const refused: [unknown, unknown, unknown?][] = [
      ["", new ReLU()],
      [1, new ReLU()],
      ["a", {}],
      ["a", undefined],
      ["a", new ReLU(), { own: false }],
      ["a", new ReLU(), { owned: 1 }],
      ["out", new Linear(1, 1)],
      ["forward", new ReLU()],
      ["training", new ReLU()],
    ];
    for (const args of refused) {
      expect(thrown(() => net.register(...(args as [string, Module])))).toBeInstanceOf(OptionError);
    }
    expect(net.namedChildren().map(([name]) => name)).toEqual(["out"]);
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
