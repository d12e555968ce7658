import { Linear, Module, type Tensor } from "../src/index";

/** A module that runs another, which it keeps where it cannot be found. */
export class Hiding extends Module {
  readonly out = new Linear(2, 1);
  readonly #hidden: Module;
  constructor(hidden: Module, options?: { owned?: boolean }) {
    super();
    this.#hidden = options ? this.register("hidden", hidden, options) : hidden;
  }
  forward(x: Tensor): Tensor {
    return this.out.forward(this.#hidden.forward(x));
  }
}
