/** Play, step, speed, and jumps from event to event. */
import { div, fill, h, icon, iconButton, set, span } from "./dom.js";
import { KINDS } from "./events.js";
import { count } from "./format.js";
import { max } from "./maths.js";
import { SPEEDS } from "./player.js";

/**
 * @import { EventKind } from "./events.js"
 * @import { Replay } from "./replay.js"
 * @import { Viewer } from "./viewer.js"
 */

export class Transport {
  /** @param {Viewer} target @param {EventKind[]} kinds Kinds one may jump to; none hides the jumps. */
  constructor(target, kinds) {
    const { steps } = target;
    this.playing = false;
    this.speed = NaN;
    this.play = iconButton("play", "Play (Space)", () => target.toggle());
    this.play.classList.add("rv-button-main");
    this.input = h("input.rv-step-input", { type: "text", inputmode: "numeric", label: "Step", style: `width:${max(4, count(steps - 1).length + 1)}ch`,
      onchange: () => target.seek(Number(this.input.value.replace(/[\s,.']/g, "")) || 0), onfocus: () => this.input.select(),
    });
    this.speeds = h("select.rv-select", { label: "Speed in steps a second", onchange: () => target.store.set({ speed: Number(this.speeds.value) }) });
    this.kind = h("select.rv-select", { label: "Event to jump to" }, ...kinds.map((kind) => h("option", { value: kind }, KINDS[kind][0])));
    const jumps = div("rv-group", iconButton("earlier", "Previous event (,)", () => target.jump(-1)), this.kind, iconButton("later", "Next event (.)", () => target.jump(1)));
    jumps.hidden = kinds.length === 0;
    this.node = h("div.rv-transport", { role: "toolbar", label: "Playback" },
      div("rv-group", iconButton("first", "First step (Home)", () => target.seek(0)), iconButton("back", "One step back ([)", () => target.move(-1)), this.play,
        iconButton("forward", "One step on (])", () => target.move(1)), iconButton("last", "Last step (End)", () => target.seek(steps - 1))),
      h("label.rv-step", {}, "step", this.input, span("rv-muted", `of ${count(steps - 1)}`)),
      h("label.rv-step", {}, this.speeds, span("rv-muted", "steps/s")), jumps);
  }

  /** @param {number} step @param {boolean} playing @param {number} speed */
  update(step, playing, speed) {
    if (!this.input.matches(":focus") || playing) this.input.value = count(step);
    if (playing !== this.playing) {
      const label = playing ? "Pause (Space)" : "Play (Space)";
      fill(set(this.play, { label: label, title: label }), icon(playing ? "pause" : "play"));
    }
    if (speed !== this.speed) {
      fill(this.speeds, ...[...new Set([...SPEEDS, speed])].sort((a, b) => a - b).map((value) => h("option", { value }, String(Number(value.toPrecision(4))))));
      this.speeds.value = String(speed);
    }
    this.playing = playing;
    this.speed = speed;
  }
}

/** @param {Replay} replay @returns {EventKind[]} Kinds that happen in a replay and can be jumped to. */
export function kindsIn({ base, fields }) {
  const kinds = /** @type {EventKind[]} */ (Object.keys(KINDS));
  // A gain and a loss of one bin may cancel out, so any change of reward may hide a loss.
  const earns = Boolean(fields.get("current_reward")?.movers.length);
  return kinds.filter((kind) => kind !== "talk" && (/reward|penalty/.test(kind) ? earns : base.numbers(`overview.${KINDS[kind][1]}`).some((value) => value > 0)));
}
