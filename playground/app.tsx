import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { lost } from "./engine/index";
import { PANELS, type PanelName, panel } from "./link";
import { ActivationsPanel } from "./panels/activations/panel";
import { DigitsPanel } from "./panels/digits/panel";
import { NeuronPanel } from "./panels/neuron/panel";
import { SpeedPanel } from "./panels/speed/panel";
import { TrainPanel } from "./panels/train/panel";
import { LANGUAGES, type Language, language, translated } from "./text";
import { THEMES, theme } from "./theme";
import { Button } from "./ui/controls";
import { Later } from "./ui/later";

const text = translated(
  {
    title: "playground",
    claim: "Neural networks, learning live in your browser.",
    panels: {
      activations: "Activations",
      neuron: "Slow neuron",
      train: "Train",
      digits: "Digits",
      speed: "Speed",
    },
    sections: "Panels",
    language: "Language",
    theme: "Colours",
    themes: { auto: "system", light: "light", dark: "dark" },
    skip: "To the panel",
    lost: "What computes here has ended, probably because there was too little memory. The settings are kept, what was learned is not.",
    again: "Start again",
  },
  {
    title: "游乐场",
    claim: "就在浏览器里，看着神经网络学习。",
    panels: {
      activations: "激活函数",
      neuron: "迟钝的神经元",
      train: "训练",
      digits: "手写数字",
      speed: "速度",
    },
    sections: "面板",
    language: "语言",
    theme: "颜色",
    themes: { auto: "跟随系统", light: "浅色", dark: "深色" },
    skip: "跳到面板",
    lost: "这里的计算已经终止，可能是因为内存不足。设置会保留，学到的内容不会。",
    again: "重新开始",
  },
);

const CONTENTS: Record<PanelName, ComponentType> = {
  activations: ActivationsPanel,
  neuron: NeuronPanel,
  train: TrainPanel,
  digits: DigitsPanel,
  speed: SpeedPanel,
};

/** Panels stay once they were opened, so that what they do goes on. */
const opened = signal<readonly PanelName[]>([]);

export function App() {
  const current = panel.value;
  if (!opened.value.includes(current)) opened.value = [...opened.value, current];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("panel")!.focus()}>
        {text.value.skip}
      </button>
      <header>
        <h1>
          <span aria-hidden="true">∇</span> nablas <small>{text.value.title}</small>
        </h1>
        <p>{text.value.claim}</p>
        <Preferences />
      </header>
      <nav aria-label={text.value.sections}>
        <Tabs />
      </nav>
      <main id="panel" tabIndex={-1}>
        {opened.value.map((name) => {
          const Contents = CONTENTS[name];
          return (
            <div
              key={name}
              role="tabpanel"
              id={`panel-${name}`}
              aria-labelledby={`tab-${name}`}
              hidden={name !== current}
            >
              <Later>
                {lost.value.includes(name) && <Lost />}
                <Contents />
              </Later>
            </div>
          );
        })}
      </main>
    </>
  );
}

/** In place of answers that will never come. The address has all settings. */
function Lost() {
  return (
    <div class="panel lost">
      <div class="lead stack" role="alert">
        <p class="warning">{text.value.lost}</p>
        <Button primary onClick={() => location.reload()}>
          {text.value.again}
        </Button>
      </div>
    </div>
  );
}

function Tabs() {
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };
    const step = steps[event.key];
    const at = PANELS.indexOf(panel.value);
    const to = event.key === "Home" ? 0 : event.key === "End" ? PANELS.length - 1 : step && at + step;
    if (to === undefined) return;
    event.preventDefault();
    panel.value = PANELS.at(to % PANELS.length)!;
    document.getElementById(`tab-${panel.value}`)!.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={text.value.sections}>
      {PANELS.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={panel.value === name}
          aria-controls={opened.value.includes(name) ? `panel-${name}` : undefined}
          tabIndex={panel.value === name ? 0 : -1}
          onKeyDown={move}
          onClick={() => {
            panel.value = name;
          }}
        >
          {text.value.panels[name]}
        </button>
      ))}
    </div>
  );
}

function Preferences() {
  return (
    <div class="preferences">
      <select
        aria-label={text.value.language}
        onChange={({ currentTarget }) => {
          language.value = currentTarget.value as Language;
        }}
      >
        {Object.entries(LANGUAGES).map(([name, label]) => (
          <option key={name} value={name} selected={name === language.value}>
            {label}
          </option>
        ))}
      </select>
      <select
        aria-label={text.value.theme}
        onChange={({ currentTarget }) => {
          theme.value = currentTarget.value as (typeof THEMES)[number];
        }}
      >
        {THEMES.map((name) => (
          <option key={name} value={name} selected={name === theme.value}>
            {text.value.themes[name]}
          </option>
        ))}
      </select>
    </div>
  );
}
