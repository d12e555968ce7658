// What the sides are called and how they are coloured.
import { threeDigits } from "../../../bench/table";
import { machine, type SideName, sides } from "./machine";
import { text } from "./text";

/** Of style.css. */
export const COLORS: Record<SideName, string> = { baseline: "blue", relaxed: "green", threads: "orange" };

export function nameOf(side: SideName): string {
  const names = text.value.sides;
  return side === "threads" ? names.threads(machine.value?.best.threads ?? 1) : names[side];
}

/** "26.5×" */
export function times(ratio: number): string {
  return `${threeDigits(ratio)}×`;
}

/** The sides that there are: none before they are known. */
export const shownSides = () => sides.value.map(({ name }) => name);
