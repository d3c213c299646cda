/** Play, step, speed, and jumps from event to event. */
import { fill, set } from "../../page/js/dom.js";
import { button, choice, div, h, icon, iconButton, span } from "./dom.js";
import { count } from "../../page/js/format.js";
import { max } from "../../page/js/maths.js";
import { SPEEDS } from "./player.js";

/**
 * @import { State } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 */

/** @param {Viewer} target @param {[string, string, ...string[]][]} kinds Events one may jump to, and their words; none hides the jumps. */
export function transport(target, kinds) {
  const { steps } = target;
  const last = count(steps - 1);
  const play = button("", () => target.toggle(), "button.button-main");
  const input = h("input.step-input", { type: "text", inputmode: "numeric", label: "Step", style: `width:${max(4, last.length + 1)}ch`, onchange: () => target.seek(Number(input.value.replace(/[\s,.']/g, "")) || 0), onfocus: () => input.select() });
  const loop = iconButton("loop", "Begin again at the end (L)", () => target.toggleLoop());
  const speeds = choice("Speed in steps a second", [], (speed) => target.store.set({ speed: Number(speed) }));
  const kind = choice("Event to jump to", /** @type {[string, string][]} */ (/** @type {unknown} */ (kinds)), () => {});
  const jumps = h("div.group", { hidden: !kinds.length }, iconButton("earlier", "Previous event (,)", () => target.jump(-1)), kind, iconButton("later", "Next event (.)", () => target.jump(1)));
  const node = h("div.transport", { role: "toolbar", label: "Playback" },
    div("group", iconButton("first", "First step (Home)", () => target.seek(0)), iconButton("back", "One step back ([)", () => target.move(-1)), play,
      iconButton("forward", "One step on (])", () => target.move(1)), iconButton("last", "Last step (End)", () => target.seek(steps)), loop),
    h("label.step", {}, "step", input, span("muted", `of ${last}`)), h("label.step", {}, speeds, span("muted", "steps/s")), jumps);
  /** @type {Partial<State>} */
  let now = {};
  /** @param {number} step @param {State} state */
  const update = (step, { playing, speed, loop: again }) => {
    set(loop, { "aria-pressed": String(again) });
    if (!input.matches(":focus") || playing) input.value = count(step);
    if (playing !== now.playing) {
      const label = playing ? "Pause (Space)" : "Play (Space)";
      fill(set(play, { label, title: label }), icon(playing ? "pause" : "play"));
    }
    if (speed !== now.speed) {
      fill(speeds, ...[...new Set([...SPEEDS, speed])].sort((a, b) => a - b).map((value) => h("option", { value }, String(+value.toPrecision(4)))));
      speeds.value = /** @type {any} */ (speed);
    }
    now = { playing, speed };
  };
  return { node, kind, update };
}
