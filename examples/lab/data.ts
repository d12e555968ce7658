import { rand, randn, type Tensor, tensor } from "nablas";
import { range } from "./experiment";

/** Points on interleaved spirals, one for each class, with their classes: the numbers of `manualSeed`. */
export function spirals(rows: number, classes: number, noise: number): [x: Tensor, labels: Tensor] {
  const [u, shift] = [rand([rows]).data, randn([rows, 2]).data];
  const labels = range(rows).map((i) => i % classes);
  const points = labels.map((label, i) => {
    const angle = 1.25 * Math.PI * u[i]! + (2 * Math.PI * label) / classes;
    const radius = 0.2 + 1.8 * u[i]!;
    return [
      radius * Math.cos(angle) + noise * shift[2 * i]!,
      radius * Math.sin(angle) + noise * shift[2 * i + 1]!,
    ];
  });
  return [tensor(points), tensor(labels, { dtype: "i32" })];
}
