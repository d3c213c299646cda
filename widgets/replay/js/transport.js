/** Play, step, speed, and jumps from event to event. */
import { fill, set } from "../../page/js/dom.js";
import { button, choice, div, h, icon, iconButton, span } from "./dom.js";
import { KINDS, overview } from "./events.js";
import { count } from "../../page/js/format.js";
import { max } from "../../page/js/maths.js";
import { odd } from "./rewards.js";
import { SPEEDS } from "./player.js";

/**
 * @import { EventKind } from "./events.js"
 * @import { Replay } from "./replay.js"
 * @import { State } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 */

/** @param {Viewer} target @param {EventKind[]} kinds Kinds one may jump to; none hides the jumps. */
export function transport(target, kinds) {
  const { steps } = target;
  const last = count(steps - 1);
  const play = button("", () => target.toggle(), "button.button-main");
  const input = h("input.step-input", { type: "text", inputmode: "numeric", label: "Step", style: `width:${max(4, last.length + 1)}ch`,
    onchange: () => target.seek(Number(input.value.replace(/[\s,.']/g, "")) || 0), onfocus: () => input.select(),
  });
  const speeds = choice("Speed in steps a second", [], (speed) => target.store.set({ speed: Number(speed) }));
  const kind = choice("Event to jump to", kinds.map((each) => [each, KINDS[each][0]]), () => {});
  const jumps = div("group", iconButton("earlier", "Previous event (,)", () => target.jump(-1)), kind, iconButton("later", "Next event (.)", () => target.jump(1)));
  jumps.hidden = kinds.length === 0;
  const node = h("div.transport", { role: "toolbar", label: "Playback" },
    div("group", iconButton("first", "First step (Home)", () => target.seek(0)), iconButton("back", "One step back ([)", () => target.move(-1)), play,
      iconButton("forward", "One step on (])", () => target.move(1)), iconButton("last", "Last step (End)", () => target.seek(steps))),
    h("label.step", {}, "step", input, span("muted", `of ${last}`)), h("label.step", {}, speeds, span("muted", "steps/s")), jumps);
  /** @type {Partial<State>} */
  let now = {};
  /** @param {number} step @param {State} state */
  const update = (step, { playing, speed }) => {
    if (!input.matches(":focus") || playing) input.value = count(step);
    if (playing !== now.playing) {
      const label = playing ? "Pause (Space)" : "Play (Space)";
      fill(set(play, { label, title: label }), icon(playing ? "pause" : "play"));
    }
    if (speed !== now.speed) {
      fill(speeds, ...[...new Set([...SPEEDS, speed])].sort((a, b) => a - b).map((value) => h("option", { value }, String(Number(value.toPrecision(4))))));
      speeds.value = String(speed);
    }
    now = { playing, speed };
  };
  return { node, kind, update };
}

/** @param {Replay} replay @returns {EventKind[]} Kinds that happen in a replay and can be jumped to. */
export function kindsIn(replay) {
  const kinds = /** @type {EventKind[]} */ (Object.keys(KINDS));
  // A gain and a loss of one bin may cancel out, so any change of reward may hide a loss.
  const earns = replay.field("current_reward").movers.length > 0;
  return kinds.filter((kind) => kind !== "talk" && (kind === "odd" ? overview(replay, "odd").some(odd) : /reward|penalty/.test(kind) ? earns : overview(replay, kind).some((value) => value > 0)));
}
