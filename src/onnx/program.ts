// Which steps a graph takes, and what it cannot do.
import { FormatError } from "../index";
import type { Graph } from "./graph";
import type { Node, Step, Value } from "./node";
import { operators } from "./operators";
import { patternAt } from "./patterns";

/** A step and the value that it makes. */
export interface PlannedStep extends Step {
  readonly output: Value;
}

/**
 * The steps that lead to the output, each after those that it needs. What they do not need is not done.
 * @throws FormatError that names every node that cannot be run
 */
export function stepsOf({ nodes, output }: Graph): PlannedStep[] {
  const needed = new Set([output]);
  const faults: { node: Node; why: string }[] = [];
  const steps: PlannedStep[] = [];
  for (const node of nodes.toReversed()) {
    const wanted = node.outputs.filter((value) => needed.has(value));
    const attribute = unknownAttribute(node);
    if (wanted.length === 0 && attribute === undefined) continue;
    const { step, why } = attempt(node, wanted, attribute);
    if (why !== undefined) faults.push({ node, why });
    if (step !== undefined) steps.push({ ...step, output: node.outputs[0]! });
    for (const value of step?.inputs ?? node.inputs) if (value !== undefined) needed.add(value);
  }
  if (faults.length > 0) throw new FormatError(report(faults.reverse(), nodes.length));
  return steps.reverse();
}

function attempt(
  node: Node,
  wanted: readonly Value[],
  attribute: string | undefined,
): { step?: Step; why?: string } {
  if (attribute !== undefined) return { why: `its attribute "${attribute}" is not known` };
  try {
    const step = patternAt(node) ?? operatorOf(node)?.step(node);
    if (step === undefined) return { why: UNKNOWN };
    return wanted.some(({ place }) => place > 0) ? { why: "only its first output is made" } : { step };
  } catch (error) {
    if (error instanceof FormatError) return { why: error.message };
    throw error;
  }
}

const UNKNOWN = "no such operator here";

function operatorOf({ op }: Node) {
  return Object.hasOwn(operators, op) ? operators[op] : undefined;
}

/** An attribute that the operator of a node does not have here, which may change what it does. */
function unknownAttribute(node: Node): string | undefined {
  const operator = operatorOf(node);
  if (operator === undefined) return undefined;
  const known = operator.attributes ?? [];
  return node.proto.attribute?.find(({ name = "" }) => !known.includes(name))?.name;
}

/** Every node would be too many in a file of nothing else. */
const MOST = 200;

function report(faults: readonly { node: Node; why: string }[], count: number): string {
  const listed = faults.slice(0, MOST);
  const operators = [...new Set(listed.map(({ node }) => node.op))];
  const parts = operators.map((op) => {
    const own = listed.filter(({ node }) => node.op === op);
    const nodes = own.map(({ node, why }) => `"${node.name}"${why === UNKNOWN ? "" : ` (${why})`}`);
    return `${op}: ${nodes.join(", ")}`;
  });
  const more = faults.length > MOST ? `; and ${faults.length - MOST} more` : "";
  return `cannot run ${faults.length} of ${count} nodes, by operator: ${parts.join("; ")}${more}`;
}
