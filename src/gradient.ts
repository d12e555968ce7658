// The gradient of a leaf. Its memory stays when the gradient is cleared, so that a training loop allocates nothing and
// plans can rely on the address.
import { Buffer, gradientChanged } from "./memory";
import { recorder } from "./recording";
import { adoptBeside } from "./scope";
import type { Tensor } from "./tensor";
import { kernels } from "./wasm";

/** Which gradient there is: the leaf's own memory, a tensor that was assigned, or none. */
export type Held = "own" | Tensor | null;

export class LeafGradient {
  /** The leaf's own memory, whether or not there is a gradient in it. */
  own: Buffer | undefined;
  /** What `.grad` has handed out for `own`. It ends when the gradient is cleared. */
  shown: Tensor | undefined;
  private current: Held = null;
  /** Whether a plan has the address of `own`. */
  private planned = false;

  constructor(private readonly leaf: Tensor) {}

  /** Which gradient there is. */
  held(): Held {
    recorder?.gradient(this.leaf, "read");
    return this.current;
  }

  /** The gradient as a tensor, if there is one. */
  get tensor(): Tensor | undefined {
    return this.current === "own" ? this.shown : (this.current ?? undefined);
  }

  /** The memory of the gradient that there is. */
  buffer(): Buffer | undefined {
    const held = this.held();
    return held === "own" ? this.own : held?.buffer;
  }

  /** Pointer for a backward pass to add to: to zeros if there is no gradient. */
  accumulate(): number {
    let buffer = this.buffer();
    if (buffer === undefined || buffer.fate !== undefined) {
      buffer = this.memory();
      kernels.zero(buffer.ptr, this.leaf.size);
      this.current = "own";
      gradientChanged();
    }
    buffer.overwrite();
    return buffer.ptr;
  }

  /** `own`, which is made if there is none. */
  private memory(): Buffer {
    if (this.own === undefined || this.own.fate !== undefined) {
      this.own = new Buffer(this.leaf.size);
      this.own.markGradient();
      adoptBeside(this.leaf.buffer, this.own, this.leaf);
    }
    return this.own;
  }

  /** Another gradient, or none, takes the place of the one there is. */
  replace(next: Tensor | null): void {
    recorder?.gradient(this.leaf, "cleared");
    if (this.shown !== undefined) this.endShown();
    if (this.own !== undefined && this.own.sharing > 1) this.leaveMemory();
    this.current = next;
    gradientChanged();
  }

  /** Leaves `own` to the views of it, which keep their values. */
  private leaveMemory(): void {
    this.own!.free("cleared");
    this.own = undefined;
  }

  /** Clears the gradient and gives its memory back, unless a plan needs it. */
  release(): void {
    this.replace(null);
    if (recorder !== undefined || this.planned) return;
    if (this.own !== undefined) this.leaveMemory();
  }

  private endShown(): void {
    this.shown!.buffer.free("cleared");
    this.shown = undefined;
    this.own!.count(true);
  }

  /** What a plan has to know of it; the memory stays where it is from now on. */
  plan(): { held: Held; place: number } {
    this.planned = true;
    return { held: this.current, place: this.place };
  }

  /** The address of `own`, 0 if there is none. */
  get place(): number {
    return this.own === undefined || this.own.fate !== undefined ? 0 : this.own.ptr;
  }

  /** Whether views have the memory, which clearing would leave to them. */
  get hasViews(): boolean {
    return this.own !== undefined && this.own.sharing > (this.shown === undefined ? 1 : 2);
  }

  /** Puts it into the state in which a replayed function leaves it. */
  restore(held: Held, endShown: boolean): void {
    if (endShown && this.shown !== undefined) this.endShown();
    if (this.current === held) return;
    this.current = held;
    gradientChanged();
  }

  /** Takes what `.grad` hands out for `own`. */
  show(grad: Tensor): Tensor {
    this.shown = grad;
    this.own!.count(false);
    gradientChanged();
    return grad;
  }

  /** Puts the gradient aside, as if there were none yet, until the returned function is called. */
  setAside(): () => void {
    const { own, shown, current } = this;
    this.own = this.shown = undefined;
    this.current = null;
    gradientChanged();
    return () => {
      this.release();
      this.own = own;
      this.shown = shown;
      this.current = current;
    };
  }

  /** Gives back the memory of the leaf's own gradient. */
  dispose(): void {
    gradientChanged();
    this.own?.free("dispose");
    this.shown?.buffer.free("dispose");
  }
}
