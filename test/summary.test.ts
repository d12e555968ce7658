import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  concat,
  Linear,
  Module,
  memory,
  PReLU,
  parameter,
  ReLU,
  RReLU,
  Sequential,
  ShapeError,
  summary,
  type Tensor,
  zeros,
} from "../src/index";

const classifier = () => new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));

describe("summary", () => {
  test("lists the layers and counts their parameters", () => {
    const { layers, ...totals } = summary(classifier(), [1, 64]);
    expect(layers).toEqual([
      { name: "0", type: "Linear(64 → 32)", outputShape: [1, 32], parameters: 2080 },
      { name: "1", type: "ReLU", outputShape: [1, 32], parameters: 0 },
      { name: "2", type: "Linear(32 → 10)", outputShape: [1, 10], parameters: 330 },
    ]);
    expect(totals).toEqual({ parameters: 2410, trainable: 2410, nonTrainable: 0, bytes: 9640 });
  });

  test("prints a table", () => {
    const model = classifier();
    for (const t of model.layers[0]!.parameters()) t.requiresGrad = false;
    const expected = [
      "layer  type             output   parameters",
      "───────────────────────────────────────────",
      "0      Linear(64 → 32)  [8, 32]       2,080",
      "1      ReLU             [8, 32]           0",
      "2      Linear(32 → 10)  [8, 10]         330",
      "───────────────────────────────────────────",
      "2,410 parameters, 330 trainable, 2,080 not trainable, 9,640 bytes",
    ].join("\n");
    expect(String(summary(model, [8, 64]))).toBe(expected);
  });

  test("counts running statistics as parameters that are not trainable", () => {
    const model = new Sequential(new Linear(8, 4), new BatchNorm1d(4), new BatchNorm1d(4, { affine: false }));
    const { layers, ...totals } = summary(model, [2, 8]);
    expect(layers.map(({ parameters }) => parameters)).toEqual([36, 16, 8]);
    expect(totals).toEqual({ parameters: 60, trainable: 44, nonTrainable: 16, bytes: 240 });
    for (const t of model.layers[0]!.parameters()) t.requiresGrad = false;
    expect(summary(model, [2, 8])).toMatchObject({ parameters: 60, trainable: 8, nonTrainable: 52 });
  });

  test("counts a shared buffer once, where it comes first", () => {
    class Scaled extends Module {
      readonly factor = zeros([5]);
      readonly first = new Holder(this.factor);
      forward(x: Tensor): Tensor {
        return this.first.forward(x);
      }
    }
    class Holder extends Module {
      constructor(readonly factor: Tensor) {
        super();
      }
      forward(x: Tensor): Tensor {
        return x.mul(this.factor);
      }
    }
    const { layers, parameters } = summary(new Scaled(), [5]);
    expect(layers.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["", 5],
      ["first", 0],
    ]);
    expect(parameters).toBe(5);
  });

  class Twins extends Module {
    readonly scale = parameter(zeros([3]));
    readonly shared = new Linear(2, 3);
    readonly heads = [this.shared, new Sequential(new Linear(3, 1), new PReLU())];
    readonly unused = new Linear(5, 5);
    forward(x: Tensor): Tensor {
      const h = this.shared.forward(x).mul(this.scale);
      return this.heads[1]!.forward(concat([h, this.heads[0]!.forward(x)]));
    }
  }

  test("of nested, shared, unused and own parameters counts each once", () => {
    const { layers, parameters } = summary(new Twins(), [4, 2]);
    expect(layers.map(({ name, outputShape, parameters }) => [name, outputShape, parameters])).toEqual([
      ["", [8, 1], 3],
      ["shared", [4, 3], 9],
      ["heads.0", [4, 3], 0],
      ["heads.1.0", [8, 1], 4],
      ["heads.1.1", [8, 1], 1],
      ["unused", null, 30],
    ]);
    expect(parameters).toBe(3 + 9 + 4 + 1 + 30);
  });

  test("of a single layer has one row", () => {
    expect(summary(new Linear(2, 3), [2]).layers).toEqual([
      { name: "", type: "Linear(2 → 3)", outputShape: [3], parameters: 9 },
    ]);
  });

  test("passes the dtype on", () => {
    class Indices extends Module {
      forward(x: Tensor): Tensor {
        expect(x.dtype).toBe("i32");
        return zeros([x.shape[0]!, 4]);
      }
    }
    expect(summary(new Indices(), [5], { dtype: "i32" }).layers[0]!.outputShape).toEqual([5, 4]);
  });

  test("leaves the model, its modes and memory as they were", () => {
    const model = new Sequential(new Linear(2, 2), new RReLU(), new ReLU().eval());
    const forwards = model.layers.map(({ forward }) => forward);
    const seen: boolean[] = [];
    class Watch extends Module {
      forward(x: Tensor): Tensor {
        seen.push(this.training, x.requiresGrad);
        return x;
      }
    }
    const outer = new Sequential(model, new Watch());
    const { bytes, tensors } = memory();
    summary(outer, [1, 2]);
    expect(() => summary(outer, [1, 3])).toThrow(ShapeError);
    expect(memory()).toMatchObject({ bytes, tensors });
    expect(model.layers.map(({ forward }) => forward)).toEqual(forwards);
    expect([outer, model, ...model.layers].map(({ training }) => training)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(seen).toEqual([false, false]);
  });

  test("gives the module's error for a wrong shape", () => {
    expect(() => summary(classifier(), [1, 63])).toThrow(
      new ShapeError('Linear(64 → 32) "0": expected [batch, 64], got [1, 63]'),
    );
    expect(() => summary(classifier(), [1, -1])).toThrow("summary: a shape is an array of integers ≥ 0");
    expect(() => summary({} as never, [1])).toThrow("summary: expected a module, got object");
    expect(() => summary(classifier(), [1, 64], { type: "f32" } as object)).toThrow('unknown option "type"');
  });
});
