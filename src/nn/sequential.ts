import { OptionError } from "../errors";
import type { Tensor } from "../tensor";
import { type AnyModule, type Layer, Module } from "./module";

/** Modules one after another; their names are their positions: "0.weight". */
export class Sequential extends Module {
  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    for (const [i, layer] of layers.entries()) {
      if (layer instanceof Module) continue;
      throw new OptionError(
        `Sequential: argument ${i} is no module; wrap functions in one, as ReLU does for relu`,
      );
    }
    this.layers = layers;
  }

  /** Each layer on what the one before gave. */
  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.layers) y = layer.forward(y);
    return y;
  }

  /** The layers by their positions, and what a subclass has beside them. */
  override namedChildren(): [string, AnyModule][] {
    return super.namedChildren().map(([name, module]) => [name.replace(/^layers\./, ""), module]);
  }

  override toString(): string {
    return `Sequential(${this.layers.join(", ")})`;
  }
}
