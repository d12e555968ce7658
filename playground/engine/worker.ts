// All that computes runs in workers, one for each panel that was opened; a worker's name says what it does.
import { expose } from "comlink";
import { activations } from "./activations";
import { digits } from "./digits";
import { neuron } from "./neuron";
import { speed } from "./speed";
import { train } from "./train/index";

const engines = { activations, neuron, train, digits, speed };

export type Engines = typeof engines;

expose(engines[self.name as keyof Engines]);
