/** Play, step, speed, and jumps from event to event. */
import { fill, h, icon, iconButton } from "./dom.js";
import { KINDS, KIND_WORDS, OVERVIEW } from "./events.js";
import { count } from "./format.js";
import { SPEEDS } from "./player.js";

/**
 * @import { EventKind } from "./events.js"
 * @typedef {object} Controls What the buttons do.
 * @property {() => void} toggle @property {(step: number) => void} seek @property {(by: number) => void} move
 * @property {(speed: number) => void} speed @property {(kind: EventKind, way: 1 | -1) => void} jump
 */

export class Transport {
  /** @param {number} steps @param {Controls} controls @param {EventKind[]} kinds Kinds one may jump to; none hides the jumps. */
  constructor(steps, controls, kinds) {
    this.steps = steps;
    this.play = iconButton("play", "Play (Space)", controls.toggle);
    this.play.classList.add("rv-button-main");
    this.playing = false;
    this.input = h("input", {
      class: "rv-step-input", type: "text", inputmode: "numeric", "aria-label": "Step", value: "0",
      onchange: () => this.#typed(controls), onfocus: () => this.input.select(),
    });
    this.input.style.width = `${Math.max(4, count(steps - 1).length + 1)}ch`;
    this.speeds = h("select", { class: "rv-select", "aria-label": "Speed in steps a second", onchange: () => controls.speed(Number(this.speeds.value)) });
    this.kind = h("select", { class: "rv-select", "aria-label": "Event to jump to" }, ...kinds.map((kind) => h("option", { value: kind }, KIND_WORDS[kind])));
    const jump = /** @param {1 | -1} way */ (way) => () => controls.jump(/** @type {EventKind} */ (this.kind.value), way);
    const jumps = kinds.length === 0 ? null : h("div", { class: "rv-group rv-jumps", role: "group", "aria-label": "Jump to events" },
      iconButton("earlier", "Previous event (,)", jump(-1)), this.kind, iconButton("later", "Next event (.)", jump(1)));
    this.node = h("div", { class: "rv-transport", role: "toolbar", "aria-label": "Playback" },
      h("div", { class: "rv-group" },
        iconButton("first", "First step (Home)", () => controls.seek(0)), iconButton("back", "One step back ([)", () => controls.move(-1)),
        this.play,
        iconButton("forward", "One step on (])", () => controls.move(1)), iconButton("last", "Last step (End)", () => controls.seek(steps - 1))),
      h("label", { class: "rv-step" }, h("span", {}, "step"), this.input, h("span", { class: "rv-muted" }, `of ${count(steps - 1)}`)),
      h("label", { class: "rv-step" }, this.speeds, h("span", { class: "rv-muted" }, "steps/s")),
      jumps, h("span", { class: "rv-grow" }));
    this.shownSpeed = NaN;
  }

  /** @param {Controls} controls */
  #typed(controls) {
    const step = Number(this.input.value.replace(/[\s,.']/g, ""));
    if (Number.isFinite(step)) controls.seek(step);
  }

  /** @param {{step: number, playing: boolean, speed: number}} state */
  update({ step, playing, speed }) {
    const root = /** @type {Document | ShadowRoot} */ (this.input.getRootNode());
    if (root.activeElement !== this.input || playing) this.input.value = count(step);
    if (playing !== this.playing) {
      this.playing = playing;
      const label = playing ? "Pause (Space)" : "Play (Space)";
      this.play.setAttribute("aria-label", label);
      this.play.title = label;
      fill(this.play, icon(playing ? "pause" : "play"));
    }
    if (speed !== this.shownSpeed) {
      this.shownSpeed = speed;
      const known = [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
      fill(this.speeds, ...known.map((value) => h("option", { value }, String(Number(value.toPrecision(4))))));
      this.speeds.value = String(speed);
    }
  }
}

/** @param {import("./replay.js").Replay} replay @returns {EventKind[]} Kinds that happen in a replay, most telling first. */
export function kindsIn(replay) {
  const { base } = replay;
  const some = /** @param {string} column @param {(value: number) => boolean} test */ (column, test) => base.numbers(`overview.${column}`).some(test);
  return KINDS.filter((kind) => {
    if (kind === "talk") return false;
    if (kind === "reward") return some("reward", (value) => value > 0);
    // A gain and a loss in one bin may cancel out, so any change of reward may hide a loss.
    if (kind === "penalty") return replay.field("current_reward").movers.length > 0;
    return some(/** @type {string} */ (OVERVIEW[kind]), (value) => value > 0);
  });
}
