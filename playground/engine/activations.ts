export const activations = {};
