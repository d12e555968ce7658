// A compiled function for inputs of given shapes: its plan, and what has to hold for the plan to be right.
import { gradEnabled } from "../autograd";
import { DisposedError, PlanError, refusePromise, show } from "../errors";
import type { Held, LeafGradient } from "../gradient";
import { type Buffer, gradientChanges, moment, type Origin } from "../memory";
import type { AnyModule } from "../nn/module";
import { structure } from "../recording";
import { freeNow, isPlain, outsideScopes, Region, scopeOf } from "../scope";
import { Tensor, tensorsIn } from "../tensor";
import { type Input, InputCell } from "./input";
import { Plan } from "./plan";
import { type Block, type GradientUse, Recording } from "./recording";

/** What a plan relies on of the gradient of a tensor from outside, and what it leaves behind. */
interface PlannedGradient {
  leaf: LeafGradient;
  /** What there has to be; undefined if the function clears it first. */
  before: Held | undefined;
  after: Held;
  /** The address of the leaf's own gradient. */
  place: number;
  isCleared: boolean;
  /** Whether what `.grad` has handed out before ends. */
  endsShown: boolean;
}

let calls = 0;

const FATE =
  "was freed when the function of compile returned; return it from there, and clone() it to keep it";

function run<R>(fn: (...inputs: Tensor[]) => R, inputs: readonly Tensor[]): R {
  const result = fn(...inputs);
  refusePromise("compile", result);
  return result;
}

export class Variant<R> {
  /** What the function returned, in memory of the plan. */
  result!: R;
  /** When the plan was last recorded or replayed, counted in calls of all plans. */
  last = ++calls;
  readonly region = new Region();
  private readonly cells: InputCell[] = [];
  /** What the function returned, in memory of the recording. */
  private readonly results = new Set<Block>();
  private readonly recording: Recording;
  private readonly plan: Plan;
  private readonly isGradEnabled = gradEnabled();
  private readonly modes: readonly { module: { training: boolean }; training: boolean }[];
  private readonly parameters: readonly { module: AnyModule; tensors: readonly Tensor[] }[];
  /** Tensors from outside, and what they were like. */
  private readonly used: readonly { t: Tensor; requiresGrad: boolean }[];
  private readonly gradients: readonly PlannedGradient[];
  /** When their states were last seen to be those that a replay leaves, and needs. */
  private gradientsSeen = -1;
  /** Whether a replay leaves gradients as the next one needs them. */
  private readonly isSteady: boolean;
  /** What each replay overwrites in place, and when that was last noted. */
  private readonly overwrites: readonly Buffer[];
  private momentNoted = -1;
  /** Of averages that were made while recording, and of views of what is outside that the function returned. */
  private readonly lasting: Buffer[] = [];
  private structure: number;
  private outputs: Tensor[] = [];

  /** Runs `fn` on copies of the inputs and records it. */
  constructor(fn: (...inputs: Tensor[]) => R, inputs: readonly Input[]) {
    const tensors: Tensor[] = [];
    this.recording = new Recording(tensors);
    try {
      for (const input of inputs) tensors.push(this.copyOf(input));
      this.plan = this.settle(
        outsideScopes(() => this.recording.run(() => scopeOf(FATE, () => run(fn, tensors)))),
      );
    } catch (error) {
      this.recording.release(this.recording.persistent(this.results));
      this.region.free("dispose");
      throw error;
    }
    const { modules, externals, gradients, overwrites } = this.recording;
    this.modes = [...modules].map((module) => ({ module, training: module.training }));
    this.parameters = [...modules].map((module) => ({
      module: module as AnyModule,
      tensors: (module as AnyModule).parameters(),
    }));
    this.used = [...externals].map((t) => ({ t, requiresGrad: t.requiresGrad }));
    this.gradients = [...gradients].flatMap(([t, use]) =>
      this.recording.isOwn(t) ? [] : this.planned(t, use),
    );
    this.isSteady = this.gradients.every(({ before, after }) => before === undefined || before === after);
    this.overwrites = [
      ...[...overwrites].filter(({ fate }) => fate === undefined),
      ...[...this.cells.map(({ tensor }) => tensor), ...this.outputs].map(({ buffer }) => buffer),
    ];
    this.structure = structure;
  }

  /** The place of the next input, with a copy of it. */
  private copyOf(input: Input): Tensor {
    const cell = outsideScopes(() => new InputCell(input, this.cells.length));
    this.cells.push(cell);
    this.region.add(cell.tensor.buffer);
    return cell.tensor;
  }

  /** Makes the plan, and tensors in its memory of those that the function returned. */
  private settle(result: R): Plan {
    const { recording, results: blocks } = this;
    const returned = [...tensorsIn(result)];
    for (const { buffer } of returned) {
      const block = recording.blocks.get(buffer.ptr);
      if (block !== undefined) blocks.add(block);
    }
    const plan = new Plan(recording, blocks, this.region);
    const made = new Map<unknown, unknown>();
    for (const t of returned) made.set(t, this.output(t, plan));
    this.result = replaced(result, made);
    const persistent = recording.persistent(blocks);
    for (const { buffers } of persistent)
      this.lasting.push(...buffers.filter(({ fate, hasGradient }) => fate === undefined && !hasGradient));
    recording.release(persistent);
    return plan;
  }

  private planned(t: Tensor, { before, isCleared }: GradientUse): PlannedGradient {
    const { leafGradient: leaf } = t;
    const { held, place } = leaf.plan();
    // What the function returns holds until the next call, a gradient too.
    const endsShown =
      isCleared && !(leaf.shown !== undefined && [...tensorsIn(this.result)].includes(leaf.shown));
    return { leaf, before, after: held, place, isCleared, endsShown };
  }

  /** A tensor in the plan's memory, or one from outside as it is; views of those end with the plan. */
  private output(t: Tensor, plan: Plan): Tensor {
    const { recording } = this;
    const at = plan.placeOf(t.buffer.ptr);
    if (at === t.buffer.ptr) {
      if (recording.isOwn(t) && !recording.isGradient(t)) {
        this.region.add(t.buffer);
        this.lasting.push(t.buffer);
      }
      return t;
    }
    const y = new Tensor(t.shape, t.dtype, plan.arena.share(at - plan.arena.ptr));
    y.op = t.op;
    this.region.add(y.buffer);
    this.outputs.push(y);
    return y;
  }

  /** Whether the plan was recorded for such inputs, in this mode. */
  fits(inputs: readonly Input[]): boolean {
    if (inputs.length !== this.cells.length) return false;
    for (let i = 0; i < inputs.length; i++) if (!this.cells[i]!.fits(inputs[i]!)) return false;
    return this.holds();
  }

  /** Whether the modes are those of the recording. */
  holds(): boolean {
    if (this.region.next === undefined || this.isGradEnabled !== gradEnabled()) return false;
    for (let i = 0; i < this.modes.length; i++) {
      if (this.modes[i]!.module.training !== this.modes[i]!.training) return false;
    }
    if (!this.holdsGradients()) return false;
    if (this.structure === structure) return true;
    for (const { t, requiresGrad } of this.used) if (t.requiresGrad !== requiresGrad) return false;
    return true;
  }

  /** Whether gradients are there, or not, as they were when the function was recorded. */
  private holdsGradients(): boolean {
    if (this.gradientsSeen === gradientChanges) return true;
    for (let i = 0; i < this.gradients.length; i++) {
      const { leaf, before } = this.gradients[i]!;
      if (before !== undefined && leaf.held() !== before) return false;
    }
    return true;
  }

  /** Runs the hooks; tells whether the plan is still right. */
  prepare(): boolean {
    const { hooks } = this.recording;
    for (let i = 0; i < hooks.length; i++) if (hooks[i]!.run() !== hooks[i]!.key) return false;
    if (this.structure !== structure) this.checkParameters();
    for (let i = 0; i < this.used.length; i++) {
      const { t } = this.used[i]!;
      if (t.buffer.fate !== undefined) {
        throw new DisposedError(`compile: ${t.describe()} has been freed since the recording; compile again`);
      }
    }
    if (this.gradientsSeen !== gradientChanges) {
      for (const { leaf, place, isCleared } of this.gradients)
        if (leaf.place !== place || (isCleared && leaf.hasViews)) return false;
    }
    for (let i = 0; i < this.lasting.length; i++) if (this.lasting[i]!.fate !== undefined) return false;
    for (let i = 0; i < this.outputs.length; i++) {
      if (this.outputs[i]!.buffer.fate !== undefined) return false;
    }
    return true;
  }

  private checkParameters(): void {
    for (const { module, tensors } of this.parameters) {
      const now = module.parameters();
      if (now.length === tensors.length && now.every((t, i) => t === tensors[i])) continue;
      throw new PlanError(
        `compile: ${module} has other parameters than when it was recorded, ${now.length} against ${tensors.length}; ` +
          "compile the function again",
      );
    }
    this.structure = structure;
  }

  replay(inputs: readonly Input[]): R {
    for (let i = 0; i < inputs.length; i++) this.cells[i]!.write(inputs[i]!);
    return this.again();
  }

  /** Runs the kernels on what lies in the inputs. */
  again(): R {
    this.last = ++calls;
    this.plan.replay();
    this.note();
    return this.result;
  }

  /** Notes what a replay has changed that the function would have noted. Repeated replays change nothing more. */
  private note(): void {
    if (this.gradientsSeen !== gradientChanges) {
      for (const { leaf, after, endsShown } of this.gradients) leaf.restore(after, endsShown);
      if (this.isSteady) this.gradientsSeen = gradientChanges;
    }
    if (this.momentNoted === moment) return;
    for (const buffer of this.overwrites) buffer.overwrite();
    this.momentNoted = moment;
  }

  get inputs(): readonly Tensor[] {
    return this.cells.map(({ tensor }) => tensor);
  }

  /** Says where the values in the inputs are from. */
  from(origins: readonly Origin[]): void {
    for (let i = 0; i < origins.length; i++) this.cells[i]!.origin = origins[i];
  }

  describe(): string {
    const names = new Map<number, string>();
    const name = (t: Tensor, text: string) => {
      if (!names.has(t.ptr)) names.set(t.ptr, `${text} ${show(t.shape)}`);
    };
    for (const [i, { tensor }] of this.cells.entries()) name(tensor, `input ${i}`);
    for (const { module } of this.parameters) {
      for (const [path, t] of [...module.namedParameters(), ...module.namedBuffers()]) {
        name(t, path);
        if (t.grad !== null) name(t.grad, `d ${path}`);
      }
    }
    for (const { t } of this.used) name(t, "tensor");
    const shapes = this.cells.map(({ tensor }) => show(tensor.shape)).join(", ");
    return `plan for ${shapes || "no inputs"}\n${this.plan.describe((ptr) => names.get(ptr))}`;
  }

  dispose(): void {
    freeNow(this.region);
  }
}

/** A copy of what a function returned with other tensors in it. */
function replaced<T>(value: T, by: Map<unknown, unknown>): T {
  const known = by.get(value);
  if (known !== undefined) return known as T;
  if (typeof value !== "object" || value === null || !(Array.isArray(value) || isPlain(value))) return value;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([] as never) : {};
  by.set(value, copy);
  for (const [key, item] of Object.entries(value)) copy[key] = replaced(item, by);
  return copy as T;
}
