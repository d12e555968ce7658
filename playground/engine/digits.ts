export const digits = {};
