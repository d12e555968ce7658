// Where a module keeps its parts: in fields, and there in arrays, plain objects, Maps and Sets.
import { describe, expect, test } from "vitest";
import {
  Adam,
  compile,
  Dropout,
  diagnose,
  Linear,
  lint,
  Module,
  mseLoss,
  ones,
  parameter,
  ReLU,
  Sequential,
  scope,
  summary,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";

const x = tensor([
  [1, 2],
  [3, -1],
]);

class Contained extends Module {
  readonly blocks = { hidden: new Linear(2, 2), deep: { drop: new Dropout(), list: [[new Linear(2, 2)]] } };
  readonly heads = new Map<string | number, Module>([
    ["policy", new Linear(2, 1)],
    [7, new Linear(2, 1)],
  ]);
  readonly bag = new Set([new Linear(2, 2)]);
  readonly extra = [parameter(ones([2])), { scale: parameter(ones([2])) }];
  readonly statistics = { mean: zeros([2]) };
  forward(x: Tensor): Tensor {
    const [first] = this.bag;
    const { hidden, deep } = this.blocks;
    const h = deep.drop.forward(deep.list[0]![0]!.forward(first!.forward(hidden.forward(x))));
    const scaled = h.mul(this.extra[0] as Tensor).add(this.statistics.mean);
    return this.heads.get("policy")!.forward(scaled).add(this.heads.get(7)!.forward(scaled));
  }
}

const NAMES = [
  ...["blocks.hidden", "blocks.deep.list.0.0", "heads.policy", "heads.7", "bag.0"].flatMap((name) => [
    `${name}.weight`,
    `${name}.bias`,
  ]),
  ...["extra.0", "extra.1.scale"],
];

describe("arrays, plain objects, Maps and Sets, to any depth", () => {
  const names = (list: readonly [string, unknown][]) => list.map(([name]) => name).sort();

  test("have parameters, buffers and children under PyTorch's names", () => {
    const model = new Contained();
    expect(names(model.namedParameters())).toEqual([...NAMES].sort());
    expect(names(model.namedBuffers())).toEqual(["statistics.mean"]);
    expect(Object.keys(model.stateDict()).sort()).toEqual([...NAMES, "statistics.mean"].sort());
    expect(names(model.namedChildren())).toContain("blocks.deep.drop");
  });

  test("are loaded, switched, zeroed, summed up and freed", () => {
    const [model, other] = [new Contained(), new Contained()];
    other.loadStateDict(model.stateDict());
    expect(other.eval().forward(x).toArray()).toEqual(model.eval().forward(x).toArray());
    expect(model.blocks.deep.drop.training).toBe(false);
    expect(model.train().blocks.deep.drop.training).toBe(true);
    model.forward(x).sum().backward();
    expect(model.blocks.hidden.weight.grad!.toArray()).not.toEqual([
      [0, 0],
      [0, 0],
    ]);
    model.zeroGrad();
    expect(model.blocks.hidden.weight.grad).toBeNull();
    const rows = new Map(summary(model, [1, 2]).layers.map(({ name, parameters }) => [name, parameters]));
    expect(rows.get("")).toBe(6); // extra and statistics
    expect(rows.get("heads.policy")).toBe(3);
    expect(summary(model, [1, 2]).parameters).toBe(18 + 6 + 6);
    const tensors = Object.values(model.stateDict());
    model.dispose();
    expect(tensors.map(({ fate }) => fate)).toEqual(tensors.map(() => "dispose"));
  });

  test("are trained, compiled or not, to the same numbers", () => {
    const states = [false, true].map((compiled) => {
      const model = new Contained();
      for (const [i, t] of model.parameters().entries()) t.data.fill(0.1 + 0.03 * i);
      model.eval();
      const optimizer = new Adam(model.parameters(), { lr: 0.1 });
      const step = (x: Tensor) => {
        const loss = mseLoss(model.forward(x), ones([2, 1]));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      };
      const run = compiled ? compile(step) : step;
      for (let i = 0; i < 5; i++) scope(() => void run(x));
      return Object.entries(model.stateDict()).map(([name, t]) => [name, t.toArray()]);
    });
    expect(states[0]).toEqual(states[1]);
    const start = NAMES.indexOf("extra.0");
    expect(states[0]![start]).not.toEqual(["extra.0", [0.1, 0.1]]);
  });

  test("outlive a scope with the module", () => {
    const model = scope(() => new Contained());
    expect(model.eval().forward(x).shape).toEqual([2, 1]);
  });

  test("are seen by lint and diagnose", () => {
    class Net extends Module {
      readonly layers = new Map([["first", new Linear(2, 1)]]);
      readonly last = { of: { all: new Linear(1, 1) } };
      forward(x: Tensor): Tensor {
        return this.last.of.all.forward(this.layers.get("first")!.forward(x).relu());
      }
    }
    const net = new Net();
    net.layers.get("first")!.weight.data.fill(1e-9);
    expect(diagnose(net, x, zeros([2, 1]), mseLoss).layers.map(({ layer }) => layer)).toContain(
      "layers.first",
    );
    expect(lint(net, mseLoss)).toEqual([]);
  });

  test("may have themselves in them, or be very long", () => {
    interface Node {
      next?: Node;
      layer?: Linear;
    }
    class Net extends Module {
      readonly ring: Node = {};
      readonly chain: Node = {};
      readonly numbers = Array.from({ length: 20_000 }, () => ({ n: 1 }));
      constructor() {
        super();
        this.ring.next = { next: this.ring, layer: new Linear(2, 2) };
        let node = this.chain;
        for (let i = 0; i < 20_000; i++) node = node.next = {};
        node.layer = new Linear(2, 2);
      }
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    const net = new Net();
    expect(net.namedParameters()[0]![0]).toBe("ring.next.layer.weight");
    expect(net.parameters()).toHaveLength(4);
  });

  test("count under each name that a shared module has in them", () => {
    const shared = new Linear(1, 1);
    class Net extends Module {
      readonly a = { shared };
      readonly b = [shared];
      forward(x: Tensor): Tensor {
        return this.b[0]!.forward(this.a.shared.forward(x));
      }
    }
    expect(Object.keys(new Net().stateDict())).toEqual([
      "a.shared.weight",
      "a.shared.bias",
      "b.0.weight",
      "b.0.bias",
    ]);
    expect(new Net().parameters()).toHaveLength(2);
  });

  test("of a Sequential's subclass count beside its layers", () => {
    class Net extends Sequential {
      readonly skip = new Linear(2, 2);
      override forward(x: Tensor): Tensor {
        return super.forward(x).add(this.skip.forward(x));
      }
    }
    expect(Object.keys(new Net(new Linear(2, 2), new ReLU()).stateDict())).toEqual([
      "0.weight",
      "0.bias",
      "skip.weight",
      "skip.bias",
    ]);
  });
});
