/** What a worker says when it holds the lock of its name, which it does until its end. */
export const ALIVE = "alive";
