import "./train.css";
import { useEffect } from "preact/hooks";
import { GradientChart, LossChart } from "./curves";
import { Field } from "./field";
import { Network } from "./network";
import { begin } from "./player";
import { Data, Learning } from "./settings";
import { text } from "./text";
import { Examples, Extras, Standing, Transport } from "./transport";

export function TrainPanel() {
  useEffect(begin, []);
  return (
    <div class="panel train">
      <div class="lead stack">
        <h2>{text.value.title}</h2>
        <p>{text.value.lead}</p>
        <Examples />
      </div>
      <div class="stack watch">
        <Transport />
        <Extras />
        <div class="pictures">
          <div class="stack">
            <Field />
            <Standing />
          </div>
          <div class="stack curves">
            <LossChart />
            <GradientChart />
          </div>
        </div>
        <Network />
      </div>
      <div class="stack set">
        <Data />
        <Learning />
      </div>
    </div>
  );
}
