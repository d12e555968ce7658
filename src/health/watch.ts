import { OptionError, text, withDefaults } from "../errors";
import { Budget } from "../pace";
import { eager } from "../recording";
import type { Tensor } from "../tensor";
import { type Finding, line } from "./report";
import { findingsOf } from "./rules";
import { Trace } from "./trace";

/** How `fit` watches the health of the network that it trains. */
export interface HealthOptions {
  /** Watch every so many steps; default: whenever it stays below 3 % of the time, judging by how long it took last. */
  every?: number;
  /** Gets each finding, once for its code and layer; default: its advice goes to `console.warn`. */
  onFinding?: (finding: Finding) => void;
}

/** Share of the time by the clock; collecting the garbage, which comes later, can take as much again. */
const SHARE = 0.01;

const defaults = {
  every: undefined as number | undefined,
  onFinding: (finding: Finding): void => console.warn(`nablas: ${line(finding)}`),
};

/** Runs steps, some of them under observation. */
export class Watch {
  private readonly options: typeof defaults;
  private readonly budget = new Budget(SHARE);
  private readonly known = new Set<string>();
  private steps = 0;

  /** @throws OptionError unless `every` is an integer ≥ 1 */
  constructor(options: HealthOptions | true) {
    this.options = withDefaults("fit: health", defaults, options === true ? undefined : options);
    const { every } = this.options;
    if (every === undefined || (Number.isInteger(every) && every >= 1)) return;
    throw new OptionError(`fit: health: every is an integer ≥ 1, got ${text(every)}`);
  }

  /** Runs a step; a compiled one as it was written, for what is replayed cannot be seen. */
  run(step: (x: Tensor, y: Tensor) => Tensor, x: Tensor, y: Tensor): Tensor {
    const { every } = this.options;
    const due = every === undefined ? this.budget.due() : this.steps % every === 0;
    this.steps++;
    if (!due) return step(x, y);
    return this.budget.spend(() => {
      const trace = new Trace(true);
      const loss = trace.run(() => eager(step)(x, y));
      for (const finding of findingsOf(trace, { inputs: x, targets: y })) this.tell(finding);
      return loss;
    });
  }

  private tell(finding: Finding): void {
    const key = `${finding.code} ${finding.layer}`;
    if (this.known.has(key)) return;
    this.known.add(key);
    this.options.onFinding(finding);
  }
}

/**
 * What watches a training, if anything is to.
 * @throws OptionError unless it is true, false or options
 */
export function watchOf(health: boolean | HealthOptions | undefined): Watch | undefined {
  if (health === undefined || health === false) return undefined;
  if (health === true || typeof health === "object") return new Watch(health);
  throw new OptionError(`fit: health is true, false or { every, onFinding }, got ${text(health)}`);
}
