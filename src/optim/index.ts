export { Adagrad, type AdagradOptions } from "./adagrad";
export { Adam, type AdamOptions, AdamW, type AdamWOptions } from "./adam";
export type { Group, ParameterGroup, ParameterList } from "./groups";
export type { OptimizerState } from "./optimizer";
export { RMSprop, type RMSpropOptions } from "./rmsprop";
export { SGD, type SGDOptions } from "./sgd";
