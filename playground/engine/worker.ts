// All that computes runs in workers, one for each panel that was opened; a worker's name says what it does, and is that of a
// lock that it holds while it lives.
import { expose } from "comlink";
import { activations } from "./activations";
import { ALIVE } from "./alive";
import { digits } from "./digits";
import { neuron } from "./neuron";
import { speed } from "./speed";
import { train } from "./train/index";

const engines = { activations, neuron, train, digits, speed };

export type Engines = typeof engines;

const [name] = self.name.split(" ") as [keyof Engines];
expose(engines[name]);

// Pages from disk may have no locks.
void navigator.locks?.request(self.name, () => {
  self.postMessage(ALIVE);
  return new Promise(() => {});
});
