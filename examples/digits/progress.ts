import { SingleBar } from "cli-progress";

/**
 * A progress bar on standard error, so that redirected output stays clean; without a terminal there is none.
 * Training never yields to the event loop: a bar that catches Ctrl-C (`gracefulExit`) would swallow it, and
 * one that hides the cursor would leave it hidden.
 */
export function showProgress(epochs: number): { advance: (loss: number) => void; stop: () => void } {
  const bar = new SingleBar({
    format: "{bar} {value}/{total} epochs, loss {loss}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    gracefulExit: false,
    hideCursor: false,
  });
  bar.start(epochs, 0, { loss: "" });
  return {
    advance: (loss) => bar.increment({ loss: loss.toFixed(4) }),
    stop: () => bar.stop(),
  };
}
