export const neuron = {};
