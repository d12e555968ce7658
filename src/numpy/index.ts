export { loadNpy, saveNpy } from "./npy";
export { loadNpz, saveNpz } from "./npz";
