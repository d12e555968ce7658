// What the sides are called and how they are coloured.
import { machine, type SideName, sides } from "./machine";
import { text } from "./text";

/** Of style.css. */
export const COLORS: Record<SideName, string> = { baseline: "blue", relaxed: "green", threads: "orange" };

export function nameOf(side: SideName): string {
  const names = text.value.sides;
  return side === "threads" ? names.threads(machine.value?.best.threads ?? 1) : names[side];
}

/** "26.5×", in three digits. */
export function times(ratio: number): string {
  return `${ratio >= 99.95 ? ratio.toFixed(0) : ratio >= 9.995 ? ratio.toFixed(1) : ratio.toFixed(2)}×`;
}

/** The sides that there are: none before they are known. */
export const shownSides = () => sides.value.map(({ name }) => name);
