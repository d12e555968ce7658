import "uplot/dist/uPlot.min.css";
import "./ui/controls.css";
import "./ui/charts.css";
import "./ui/maths.css";
import "./style.css";
import { render } from "preact";
import { App } from "./app";
import { followLink } from "./link";

followLink();
render(<App />, document.getElementById("app")!);

if (import.meta.env.PROD && location.protocol.startsWith("http")) {
  // Without it the page works all the same, but not when it is opened again without a network.
  navigator.serviceWorker?.register("./offline.js").catch(() => {});
}
