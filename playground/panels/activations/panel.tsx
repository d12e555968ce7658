import { useEffect } from "preact/hooks";
import { Card, Check, Choice, named, Slider } from "../../ui/controls";
import { Later } from "../../ui/later";
import { Equation } from "../../ui/maths";
import "./activations.css";
import { CursorCard } from "./cursor";
import { CurvesCard } from "./curves";
import { formulaOf } from "./formulas";
import { type Activation, GROUPS, type Group, type Option, TAKES } from "./kinds";
import { notes } from "./notes";
import { chosen, options, problem, start } from "./state";
import { text } from "./text";

export function ActivationsPanel() {
  useEffect(start, []);
  return (
    <div class="panel activations">
      <div class="lead stack">
        <h2>{text.value.title}</h2>
        <p>{text.value.lead}</p>
      </div>
      <ChooseCard />
      <div class="stack plots">
        <Later>
          <FormulaCard />
          <CurvesCard />
        </Later>
      </div>
      <Later>
        <CursorCard />
      </Later>
    </div>
  );
}

function ChooseCard() {
  const groups = (Object.keys(GROUPS) as Group[]).map((group) => ({
    group: text.value.groups[group],
    options: named<Activation>(GROUPS[group]),
  }));
  const others = [{ group: "–", options: { none: text.value.none } }, ...groups];
  const { f, with: other } = chosen;
  const taken = new Set([f.value, other.value].flatMap((name) => TAKES[name as Activation] ?? []));
  return (
    <Card title={text.value.choose} class="choose">
      <Choice label={text.value.activation} value={f} options={groups} />
      {[...taken].map((option) => (
        <OptionControl key={option} option={option} />
      ))}
      <Choice label={text.value.compare} value={other} options={others} />
    </Card>
  );
}

/** The ends and steps of the sliders where a hundredth of the way is no round number. */
const WAYS: Partial<Record<Option, { min: number; max: number; step: number }>> = {
  negativeSlope: { min: -0.2, max: 1, step: 0.01 },
  slope: { min: -0.5, max: 1, step: 0.01 },
  lower: { min: 0, max: 1, step: 0.005 },
  upper: { min: 0, max: 1, step: 0.005 },
  alpha: { min: 0, max: 4, step: 0.05 },
  beta: { min: 0.2, max: 5, step: 0.1 },
  threshold: { min: 0, max: 20, step: 0.5 },
  minVal: { min: -4, max: 4, step: 0.1 },
  maxVal: { min: -4, max: 4, step: 0.1 },
  k: { min: 2, max: 6, step: 1 },
  z2: { min: -6, max: 6, step: 0.1 },
  z3: { min: -6, max: 6, step: 0.1 },
};

function OptionControl({ option }: { option: Option }) {
  const label = text.value.options[option];
  if (option === "training") return <Check label={label} value={chosen.training} />;
  if (option === "approximate") {
    return <Choice label={label} value={chosen.approximate} options={text.value.approximations} />;
  }
  return <Slider label={label} value={chosen[option]} {...WAYS[option]!} />;
}

function FormulaCard() {
  const name = chosen.f.value;
  const { f, slope, where } = formulaOf(name, options.value);
  return (
    <Card title={name} class="formula-card">
      <div class="formulas">
        <Equation left="f(x)" right={f} />
        {slope !== "" && <Equation left="f′(x)" right={slope} />}
        {where !== undefined && (
          <p class="where">
            {text.value.where}{" "}
            {where.map(([left, right]) => (
              <Equation key={left} left={left} right={right} />
            ))}
          </p>
        )}
      </div>
      <p>{notes.value[name]}</p>
      {problem.value !== undefined && (
        <p class="warning" role="alert">
          {problem.value}
        </p>
      )}
    </Card>
  );
}
