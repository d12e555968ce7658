// What to look at, as the settings of a link.
import { parse } from "../../settings";
import { reset } from "./player";
import type { text } from "./text";

export type ExampleName = keyof (typeof text)["value"]["example"];

const DEEP = Array.from({ length: 8 }, () => "Linear:8,Sigmoid").join();
const CURED = Array.from({ length: 8 }, () => "Linear:8,BatchNorm1d,Sigmoid")
  .slice(0, 5)
  .join();

export const EXAMPLES: Record<ExampleName, string> = {
  spirals: "data=spirals&layers=Linear:32,ReLU,Linear:32,ReLU&lr=0.01&noise=0.1&count=500",
  linear: "data=circles&layers=Linear:8&lr=0.03",
  vanishing: `data=moons&layers=${DEEP}&optimizer=SGD&lr=0.1&momentum=0.9`,
  cured: `data=moons&layers=${CURED}&optimizer=SGD&lr=0.1&momentum=0.9`,
  dying: "data=circles&layers=Linear:16,ReLU,Linear:16,ReLU&optimizer=SGD&lr=3&momentum=0.9",
  exploding:
    "data=spirals&layers=Linear:32,ReLU,Linear:32,ReLU,Linear:32,ReLU&init=huge&optimizer=SGD&lr=0.1",
  pair: "data=moons&layers=Linear:8,Tanh&output=Sigmoid&loss=mseLoss&init=huge&optimizer=SGD&lr=0.15",
  overfit: "data=moons&count=60&noise=0.7&layers=Linear:64,ReLU,Linear:64,ReLU,Linear:64,ReLU&lr=0.01",
  decay:
    "data=moons&count=60&noise=0.7&layers=Linear:64,ReLU,Dropout:0.3,Linear:64,ReLU,Dropout:0.3,Linear:64,ReLU" +
    "&optimizer=AdamW&lr=0.01&l2=0.5",
  maxout: "data=circles&layers=Linear:12,Maxout:4&lr=0.03&classes=3",
};

/** Sets everything as the example has it, and plays from the start. */
export function follow(name: ExampleName): void {
  parse("train", new URLSearchParams(`${EXAMPLES[name]}&play=1`));
  reset();
}
